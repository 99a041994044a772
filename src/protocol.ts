/**
 * Contracts: what two programs agree on.
 *
 * @packageDocumentation
 */

export { bytes } from "./core/contract/bytes.ts";
export {
  type Contract,
  type ContractOptions,
  type ContractSides,
  contract,
  type Methods,
  type NoMethods,
} from "./core/contract/contract.ts";
export { describeContract } from "./core/contract/describe.ts";
export { type ContractChange, type ContractDiff, diffContracts } from "./core/contract/diff.ts";
export {
  type CallMethod,
  type CallOptions,
  call,
  type EventMethod,
  type EventOptions,
  event,
  type Method,
  type RequestInput,
  type RequestOutput,
  type ResponseInput,
  type ResponseOutput,
  type SchemaOrNone,
  type StreamMethod,
  type StreamOptions,
  stream,
  type TypeOnly,
} from "./core/contract/method.ts";
export type { InputOf, OutputOf, Schema, SchemaProperties } from "./core/contract/schema.ts";
export { typeOnly } from "./core/contract/type-only.ts";
export type { VersionRange } from "./core/contract/version.ts";

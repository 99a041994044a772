/**
 * Schemas: how a contract says what values look like. Any library that keeps Standard Schema can be used; this file holds
 * the part of that standard which Zócalo needs, so that no library is imported.
 *
 * @see https://standardschema.dev
 */

import { UsageError } from "../errors.ts";

/**
 * A schema of any library that keeps Standard Schema version 1: zod, valibot, arktype and others.
 *
 * @typeParam Input - What may be sent: the type before defaults and transformations. This is what the wire carries.
 * @typeParam Output - What is received: the type after them.
 */
export interface Schema<Input = unknown, Output = Input> {
  /** What the standard defines. */
  readonly "~standard": SchemaProperties<Input, Output>;
}

/** The properties that Standard Schema defines. */
export interface SchemaProperties<Input = unknown, Output = Input> {
  /** The version of the standard. */
  readonly version: 1;
  /** The name of the library. */
  readonly vendor: string;
  /** Checks a value. Answers `{ value }` or `{ issues }`; schemas that answer later are refused. */
  readonly validate: (value: unknown) => unknown;
  /** Only for the compiler. */
  readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  /** The same as JSON Schema, where the library offers it (Standard JSON Schema). Documentation and comparison use it. */
  readonly jsonSchema?: { readonly input: (options: { readonly target: "draft-2020-12" }) => unknown } | undefined;
}

/** What a sender passes for a schema; `void` where there is none. */
export type InputOf<S> = S extends Schema<infer Input, unknown> ? Input : void;

/** What a receiver gets for a schema; `void` where there is none. */
export type OutputOf<S> = S extends { readonly "~standard": { readonly types?: infer Types } }
  ? NonNullable<Types> extends { readonly output: infer Output }
    ? Output
    : unknown
  : void;

/** Why a value is not valid. */
interface ValidationIssue {
  /** What is wrong, in the words of the library. */
  readonly message: string;
  /** Where: the keys from the outermost to the innermost. Empty for the value itself. */
  readonly path: readonly string[];
}

/** What {@link validate} answers. */
type Validation =
  | { readonly valid: true; readonly value: unknown }
  | { readonly valid: false; readonly issues: readonly ValidationIssue[] };

/** A message lists at most so many issues: a peer must not be able to make error messages long. */
const MAX_ISSUES = 8;

/**
 * Checks a value, and answers the schema's output.
 *
 * @throws UsageError `UNSUPPORTED` for a schema that validates asynchronously: messages would overtake each other.
 */
export function validate(schema: Schema, value: unknown): Validation {
  const result = schema["~standard"].validate(value) as RawResult | null;
  if (typeof result !== "object" || result === null) throw unsupported(schema, "does not keep Standard Schema");
  if (typeof result.then === "function") {
    // It may fail as well, and nobody waits for it: a peer must not end the process with a value that a check throws at.
    result.then(ignore, ignore);
    const problem = "answers later: a check is asynchronous or, with zod, has thrown; put such checks into the handler";
    throw unsupported(schema, problem);
  }
  if (result.issues === undefined) return { valid: true, value: result.value };
  return { valid: false, issues: result.issues.slice(0, MAX_ISSUES).map(issueOf) };
}

/** The JSON Schema (draft 2020-12) of what the wire carries; undefined where the library does not offer it. */
export function jsonSchemaOf(schema: Schema): unknown {
  try {
    return schema["~standard"].jsonSchema?.input({ target: "draft-2020-12" });
  } catch {
    // A type that JSON Schema cannot express, such as a Date.
    return undefined;
  }
}

/** Whether something is a schema. */
export function isSchema(value: unknown): value is Schema {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  const standard = (value as { readonly "~standard"?: unknown })["~standard"];
  if (typeof standard !== "object" || standard === null) return false;
  const { version, validate: check } = standard as { readonly version?: unknown; readonly validate?: unknown };
  return version === 1 && typeof check === "function";
}

interface RawResult {
  readonly value?: unknown;
  readonly issues?: readonly RawIssue[] | undefined;
  readonly then?: ((onValue: () => void, onFailure: () => void) => unknown) | undefined;
}

function ignore(): void {}

interface RawIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

function issueOf(issue: RawIssue): ValidationIssue {
  // Some libraries have a kind of array of their own.
  const path = Array.from(issue.path ?? [], (part) => String(typeof part === "object" ? part.key : part));
  return { message: issue.message, path };
}

function unsupported(schema: Schema, problem: string): UsageError {
  const detail = `a schema of ${schema["~standard"].vendor} ${problem}`;
  return new UsageError("UNSUPPORTED", { op: "validate", detail });
}

/** Marks the schema, also for another copy of this package in the same process, whose `bytes` is another object. */
const MARK: unique symbol = Symbol.for("zocalo.bytes");

/** What {@link bytes} answers for anything else. */
const NOT_BYTES = { issues: [{ message: "must be a Uint8Array" }] };

const marked: Schema<Uint8Array> & { readonly [MARK]: true } = {
  [MARK]: true,
  "~standard": {
    version: 1,
    vendor: "zocalo",
    validate: (value) => (value instanceof Uint8Array ? { value } : NOT_BYTES),
  },
};

/**
 * The schema of messages that are bytes and need no codec: they stand on the wire as they are, whatever codec the two
 * sides agreed on. The fastest kind of message.
 *
 * @example
 * ```ts
 * import { bytes, contract, stream } from "zocalo/protocol";
 * export const files = contract("files", "1.0.0", { server: { read: stream({ sends: bytes }) } });
 * ```
 */
export const bytes: Schema<Uint8Array> = marked;

/**
 * Whether a schema is {@link bytes}: of this copy of the package or of another one, as when a tool loads the contract of a
 * program.
 *
 * @example
 * ```ts
 * import { bytes, isBytes, typeOnly } from "zocalo/protocol";
 * console.log(isBytes(bytes), isBytes(typeOnly<string>())); // true false
 * ```
 */
export function isBytes(schema: Schema | undefined): boolean {
  return schema !== undefined && MARK in schema;
}

/** A schema, or none: then nothing is sent, or the types of the program are trusted. */
export type SchemaOrNone = Schema | undefined;

/** What stands behind the types of a method without schemas. Never looked at when the program runs. */
declare const typed: unique symbol;

/** A schema that exists only for the compiler. */
export interface TypeOnly<T> extends Schema<T> {
  /** Tells it from a schema that checks something. */
  readonly [typed]: true;
}

/**
 * A schema that accepts every value: the compiler checks what this program does, and nobody checks what the peer sends. For
 * streams and for programs whose peers are trusted.
 *
 * @example
 * ```ts
 * import { contract, stream, typeOnly } from "zocalo/protocol";
 * export const clock = contract("clock", "1.0.0", { server: { ticks: stream({ sends: typeOnly<number>() }) } });
 * ```
 */
export function typeOnly<T>(): Schema<T> {
  return { "~standard": { version: 1, vendor: "zocalo", validate: (value) => ({ value }) } };
}

/** Loads the contract of a file. */

import type { Contract, Method, Schema } from "../../protocol.ts";
import { wrongUsage } from "../terminal/exit-codes.ts";
import { loadModule } from "../terminal/load-module.ts";
import { valueFrom } from "./json-values.ts";

/** Which export of a file is meant. */
export interface ContractFlags {
  readonly export?: string;
}

/** What the option `--export` says in the help of each command. */
export const EXPORT_HELP = "the contract of this name, in a file that exports several";

/**
 * The contract that `file` exports: the one called `name`; without a name the default export, or the only contract there is.
 * Throws as `loadModule` does, and `OPTION_INVALID` when the file leaves open which one is meant.
 */
export function loadContract(file: string, name: string | undefined, op: string): Contract {
  const exports = loadModule(file, op);
  const names = Object.keys(exports).filter((one) => isContract(exports[one]));
  const chosen = name ?? (names.length > 1 && names.includes("default") ? "default" : names[0]);
  const found = chosen === undefined ? undefined : exports[chosen];
  if (isContract(found) && (name !== undefined || names.length === 1 || chosen === "default")) return found;
  if (names.length > 0) {
    const wanted = name === undefined ? "more than one contract" : `no contract called ${JSON.stringify(name)}`;
    throw wrongUsage(`${file} has ${wanted}; it has: ${names.join(", ")}; choose one with --export NAME`);
  }
  const advice = 'write `export const name = contract("name", "1.0.0", { ... })`, from "zocalo/protocol"';
  throw wrongUsage(`${file} exports no contract; ${advice}`);
}

/** By its shape: the file may use another copy of this package. */
function isContract(value: unknown): value is Contract {
  if (typeof value !== "object" || value === null) return false;
  const { name, version, hash, server, client } = value as Readonly<Record<string, unknown>>;
  const texts = [name, version, hash].every((text) => typeof text === "string");
  return texts && [server, client].every((side) => typeof side === "object" && side !== null);
}

/** What is to be called: a method that the contract has, and its question or message. */
export interface ServerMethod {
  readonly name: string;
  readonly kind: Method["kind"];
  readonly input: unknown;
  /** A stream whose items the server sends. */
  readonly shows: boolean;
  /** The schema of the items that the server takes; undefined for a method that takes none. */
  readonly takes: Schema | undefined;
}

/** Finds a method and reads its question. Throws `OPTION_INVALID` when the server does not offer it, or JSON is missing. */
export function serverMethod(contract: Contract, name: string, json: string | undefined): ServerMethod {
  const method = Object.hasOwn(contract.server, name) ? contract.server[name] : undefined;
  if (method === undefined) {
    const names = Object.keys(contract.server).join(", ");
    const offer = names === "" ? "nothing" : names;
    throw wrongUsage(
      `the server of ${contract.name} ${contract.version} does not offer "${name}"; it offers: ${offer}`,
    );
  }
  const { kind } = method;
  const schema = kind === "event" ? method.message : method.request;
  const input = valueFrom(json, schema, `the ${kind} ${name}`);
  const isStream = kind === "stream";
  return {
    name,
    kind,
    input,
    shows: isStream && method.sends !== undefined,
    takes: isStream ? method.receives : undefined,
  };
}

/** Reads `method` or `method json` in one text. */
export function serverMethodFrom(contract: Contract, text: string): ServerMethod {
  const [, name = "", json] = /^(\S+)(?:\s+(.*))?$/s.exec(text.trim()) ?? [];
  return serverMethod(contract, name, json);
}

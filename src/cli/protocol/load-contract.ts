/** Loads the contract of a file. */

import { wrongUsage } from "../terminal/exit-codes.ts";
import { loadModule } from "../terminal/load-module.ts";
import type { Contract } from "../../protocol.ts";

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

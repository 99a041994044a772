/** Loads the contract of a file. */

import type { Contract, Method, Schema } from "../../protocol.ts";
import { wrongUsage } from "../terminal/exit-codes.ts";
import { inLanguage } from "../terminal/language.ts";
import { loadModule } from "../terminal/load-module.ts";
import { valueFrom } from "./json-values.ts";

/** Which export of a file is meant. */
export interface ContractFlags {
  readonly export?: string;
}

const TEXTS = inLanguage({
  en: {
    contract: "a module that exports the contract",
    export: "the contract of this name, in a file that exports several",
    several: "more than one contract",
    notThis: (name: string) => `no contract called "${name}"`,
    choose: (file: string, wanted: string, names: string) =>
      `${file} has ${wanted}; it has: ${names}; choose one with --export NAME`,
    none: (file: string) =>
      `${file} exports no contract; write \`export const name = contract("name", "1.0.0", { ... })\`, from "zocalo/protocol"`,
    nothing: "nothing",
    notOffered: (contract: string, name: string, offer: string) =>
      `the server of ${contract} does not offer "${name}"; it offers: ${offer}`,
    input: { call: "the call", event: "the event", stream: "the stream" },
  },
  es: {
    contract: "un módulo que exporta el contrato",
    export: "el contrato de este nombre, en un archivo que exporta varios",
    several: "más de un contrato",
    notThis: (name) => `ningún contrato que se llame "${name}"`,
    choose: (file, wanted, names) => `${file} tiene ${wanted}; tiene: ${names}; elige uno con --export NOMBRE`,
    none: (file) =>
      `${file} no exporta ningún contrato; escribe \`export const nombre = contract("nombre", "1.0.0", { ... })\`, de "zocalo/protocol"`,
    nothing: "nada",
    notOffered: (contract, name, offer) => `el servidor de ${contract} no ofrece "${name}"; ofrece: ${offer}`,
    input: { call: "la llamada", event: "el evento", stream: "el flujo" },
  },
});

/** What the argument `<contract>` says in the help of each command. */
export const CONTRACT_HELP: string = TEXTS.contract;

/** What the option `--export` says in the help of each command. */
export const EXPORT_HELP: string = TEXTS.export;

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
    const wanted = name === undefined ? TEXTS.several : TEXTS.notThis(name);
    throw wrongUsage(TEXTS.choose(file, wanted, names.join(", ")));
  }
  throw wrongUsage(TEXTS.none(file));
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
    const offer = names === "" ? TEXTS.nothing : names;
    throw wrongUsage(TEXTS.notOffered(`${contract.name} ${contract.version}`, name, offer));
  }
  const { kind } = method;
  const schema = kind === "event" ? method.message : method.request;
  const input = valueFrom(json, schema, `${TEXTS.input[kind]} ${name}`);
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

/** A method that the server offers, as the person names it on the command line. */

import type { Contract, Method, Schema } from "../../protocol.ts";
import { wrongUsage } from "../terminal/exit-codes.ts";
import { valueFrom } from "./json-values.ts";

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

/** The documentation of a contract, as Markdown. */

import { isBytes, jsonSchemaOf, type SchemaOrNone } from "./schema.ts";
import { type Contract, type Methods, methodNames } from "./contract.ts";
import type { Method } from "./method.ts";
import { describeRange } from "./version.ts";

/**
 * The documentation of a contract as Markdown: what each side offers, with the JSON Schema of every value where the library
 * of the schema offers it. `zocalo contract show FILE` prints it.
 *
 * @example
 * ```ts
 * import { contract, describeContract, event } from "zocalo/protocol";
 * const log = contract("log", "1.0.0", { server: { line: event<string>() } });
 * console.log(describeContract(log).split("\n")[0]); // # log 1.0.0
 * ```
 */
export function describeContract(contract: Contract): string {
  const { name, version, description, accepts, hash, server, client } = contract;
  return `${[
    `# ${name} ${version}`,
    ...(description === undefined ? [] : [description]),
    `Accepts peers of version ${describeRange(accepts)}. Hash \`${hash}\`.`,
    ...describeSide("What the server offers", server),
    ...describeSide("What the client offers", client),
  ].join("\n\n")}\n`;
}

function describeSide(title: string, methods: Methods): readonly string[] {
  const names = methodNames(methods);
  if (names.length === 0) return [];
  return [`## ${title}`, ...names.flatMap((name) => describeMethod(name, methods[name] as Method))];
}

function describeMethod(name: string, method: Method): readonly string[] {
  const { kind, description } = method;
  const notes = kind === "call" ? [...(method.idempotent ? ["idempotent"] : []), ...serialNote(method.order)] : [];
  return [
    `### ${kind} \`${name}\`${notes.length === 0 ? "" : ` (${notes.join(", ")})`}`,
    ...(description === undefined ? [] : [description]),
    ...valuesOf(method).flatMap(([what, schema]) => describeSchema(what, schema)),
  ];
}

function serialNote(order: string): readonly string[] {
  return order === "serial" ? ["serial"] : [];
}

function valuesOf(method: Method): readonly (readonly [string, SchemaOrNone])[] {
  switch (method.kind) {
    case "call":
      return [
        ["Request", method.request],
        ["Response", method.response],
      ];
    case "event":
      return [["Message", method.message]];
    case "stream":
      return [
        ["Request", method.request],
        ["Items sent by the side that offers it", method.sends],
        ["Items received by the side that offers it", method.receives],
      ];
  }
}

function describeSchema(what: string, schema: SchemaOrNone): readonly string[] {
  if (schema === undefined) return [`${what}: nothing.`];
  if (isBytes(schema)) return [`${what}: bytes.`];
  const json = jsonSchemaOf(schema);
  if (json === undefined) return [`${what}: a schema of ${schema["~standard"].vendor}.`];
  const { $schema: _standard, ...rest } = json as Readonly<Record<string, unknown>>;
  return [`${what}:`, `\`\`\`json\n${JSON.stringify(rest, undefined, 2)}\n\`\`\``];
}

/** The documentation of a contract, as Markdown. */

import { checkOptions, oneOf, type RulesOf } from "../options/check-options.ts";
import { isBytes, jsonSchemaOf, type SchemaOrNone } from "./schema.ts";
import { type Contract, type Methods, methodNames } from "./contract.ts";
import type { Method } from "./method.ts";
import { describeRange } from "./version.ts";

/** Options of {@link describeContract} and {@link diffContracts}. */
export interface DescribeOptions {
  /** The language of what stands around the names and descriptions of the contract. Default English. */
  readonly language?: "en" | "es" | undefined;
}

const RULES: RulesOf<DescribeOptions> = { language: oneOf("en", "es") };

/** The language that a call asks for. @throws UsageError when there is no such option or language. */
export function languageOf(op: string, options: DescribeOptions): "en" | "es" {
  return checkOptions({ op }, options, RULES).language ?? "en";
}

const ENGLISH = {
  accepts: (range: string, hash: string) => `Accepts peers of version ${range}. Hash \`${hash}\`.`,
  server: "What the server offers",
  client: "What the client offers",
  kinds: { call: "call", event: "event", stream: "stream" },
  idempotent: "idempotent",
  atMostOnce: "at most once",
  serial: "serial",
  volatile: "volatile",
  request: "Request",
  response: "Response",
  message: "Message",
  sends: "Items sent by the side that offers it",
  receives: "Items received by the side that offers it",
  nothing: "nothing",
  bytes: "bytes",
  schema: (vendor: string) => `a schema of ${vendor}`,
};

type Words = typeof ENGLISH;

const WORDS: Readonly<Record<"en" | "es", Words>> = {
  en: ENGLISH,
  es: {
    accepts: (range, hash) => `Acepta a quien tiene la versión ${range}. Hash \`${hash}\`.`,
    server: "Lo que ofrece el servidor",
    client: "Lo que ofrece el cliente",
    kinds: { call: "llamada", event: "evento", stream: "flujo" },
    idempotent: "idempotente",
    atMostOnce: "a lo sumo una vez",
    serial: "en serie",
    volatile: "volátil",
    request: "Petición",
    response: "Respuesta",
    message: "Mensaje",
    sends: "Elementos que envía el lado que lo ofrece",
    receives: "Elementos que recibe el lado que lo ofrece",
    nothing: "nada",
    bytes: "bytes",
    schema: (vendor) => `un esquema de ${vendor}`,
  },
};

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
export function describeContract(contract: Contract, options: DescribeOptions = {}): string {
  const { name, version, description, accepts, hash, server, client } = contract;
  const words = WORDS[languageOf("describeContract", options)];
  return `${[
    `# ${name} ${version}`,
    ...(description === undefined ? [] : [description]),
    words.accepts(describeRange(accepts), hash),
    ...describeSide(words.server, server, words),
    ...describeSide(words.client, client, words),
  ].join("\n\n")}\n`;
}

function describeSide(title: string, methods: Methods, words: Words): readonly string[] {
  const names = methodNames(methods);
  if (names.length === 0) return [];
  return [`## ${title}`, ...names.flatMap((name) => describeMethod(name, methods[name] as Method, words))];
}

function describeMethod(name: string, method: Method, words: Words): readonly string[] {
  const { kind, description } = method;
  const notes: string[] = [];
  if (kind === "call" && method.idempotent) notes.push(words.idempotent);
  if (kind === "call" && method.atMostOnce) notes.push(words.atMostOnce);
  if (kind === "call" && method.order === "serial") notes.push(words.serial);
  if (kind === "event" && method.volatile) notes.push(words.volatile);
  return [
    `### ${words.kinds[kind]} \`${name}\`${notes.length === 0 ? "" : ` (${notes.join(", ")})`}`,
    ...(description === undefined ? [] : [description]),
    ...valuesOf(method, words).flatMap(([what, schema]) => describeSchema(what, schema, words)),
  ];
}

function valuesOf(method: Method, words: Words): readonly (readonly [string, SchemaOrNone])[] {
  switch (method.kind) {
    case "call":
      return [
        [words.request, method.request],
        [words.response, method.response],
      ];
    case "event":
      return [[words.message, method.message]];
    case "stream":
      return [
        [words.request, method.request],
        [words.sends, method.sends],
        [words.receives, method.receives],
      ];
  }
}

function describeSchema(what: string, schema: SchemaOrNone, words: Words): readonly string[] {
  if (schema === undefined) return [`${what}: ${words.nothing}.`];
  if (isBytes(schema)) return [`${what}: ${words.bytes}.`];
  const json = jsonSchemaOf(schema);
  if (json === undefined) return [`${what}: ${words.schema(schema["~standard"].vendor)}.`];
  const { $schema: _standard, ...rest } = json as Readonly<Record<string, unknown>>;
  return [`${what}:`, `\`\`\`json\n${JSON.stringify(rest, undefined, 2)}\n\`\`\``];
}

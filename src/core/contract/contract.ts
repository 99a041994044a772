/** A contract: one object that gives the typed server, the typed client, the handshake and the documentation. */

import { UsageError } from "../errors.ts";
import {
  ANY_TEXT,
  checkOptions,
  OBJECT,
  type OptionRule,
  options as object,
  type RulesOf,
  shown,
} from "../options/check-options.ts";
import type { Method } from "./method.ts";
import { compatibleRange, inRange, isVersion, type VersionRange } from "./version.ts";

/** What a side offers, by name. */
export type Methods = Readonly<Record<string, Method>>;

/** A side that offers nothing. */
// oxlint-disable-next-line typescript/no-generated-empty-object-type -- Empty is what it means: no method has a name.
export type NoMethods = Readonly<Record<never, never>>;

/** What the two sides offer. */
export interface ContractSides<Server extends Methods = Methods, Client extends Methods = Methods> {
  /** What the server offers: the client calls it. */
  readonly server?: Server;
  /** What the client offers: the server calls it. */
  readonly client?: Client;
}

/** Options of {@link contract}. */
export interface ContractOptions {
  /** One sentence for the documentation. */
  readonly description?: string | undefined;
  /**
   * The versions of a peer that are accepted. Default: those with the same major version; below 1.0.0 those with the same
   * minor version.
   */
  readonly accepts?: VersionRange | undefined;
}

/** A contract. Made by {@link contract}. */
export interface Contract<Server extends Methods = Methods, Client extends Methods = Methods> {
  /** The name of the protocol. */
  readonly name: string;
  /** Its version, as in Semantic Versioning. */
  readonly version: string;
  /** The versions of a peer that are accepted. */
  readonly accepts: VersionRange;
  /** What the server offers. */
  readonly server: Server;
  /** What the client offers. */
  readonly client: Client;
  /** 16 hexadecimal digits: the fingerprint of name, version, and the names and kinds of what is offered. */
  readonly hash: string;
  /** One sentence for the documentation. */
  readonly description: string | undefined;
}

const VERSION: OptionRule = { wanted: 'a version like "1.2.0"', holds: isVersion, required: true };
const RULES: RulesOf<ContractOptions> = { description: ANY_TEXT, accepts: object({ from: VERSION, below: VERSION }) };
const SIDES_RULES: RulesOf<ContractSides> = { server: OBJECT, client: OBJECT };

/** Most methods that a side may offer: their names must fit into the hello message. */
export const MAX_METHODS = 1000;
/** Most bytes of these names, as the JSON of the handshake has them: three quarters of its 65,536 bytes. */
const MAX_NAMES_BYTES = 49_152;

const CONTRACT_NAME = /^[a-z][a-z0-9._-]{0,63}$/i;
const METHOD_NAME = /^[a-z][a-z0-9_]{0,63}$/i;

/**
 * Declares what two programs agree on: a name, a version, and what each side offers to the other.
 *
 * @param name - Names the protocol. Both sides must say the same. Letters, digits, `.`, `_` and `-`.
 * @param version - As in Semantic Versioning. A side accepts peers of the same major version; raise it when you break
 * something, which `zocalo contract diff` tells you.
 * @throws UsageError `OPTION_INVALID`: the name, the version, the name of a method, or too many of them (1,000 on a side, whose
 * names have 49,152 bytes together).
 *
 * @example
 * ```ts
 * import { call, contract, event } from "zocalo/protocol";
 * export const chat = contract("chat", "1.2.0", {
 *   server: { join: call<{ room: string }, { members: string[] }>(), say: event<{ text: string }>() },
 *   client: { said: event<{ from: string; text: string }>() },
 * });
 * ```
 */
export function contract<Server extends Methods = NoMethods, Client extends Methods = NoMethods>(
  name: string,
  version: string,
  sides: ContractSides<Server, Client>,
  options: ContractOptions = {},
): Contract<Server, Client> {
  if (typeof name !== "string" || !CONTRACT_NAME.test(name)) {
    throw invalid(`a contract needs a name like "chat"; got ${shown(name)}`);
  }
  if (!isVersion(version)) throw invalid(`a contract needs a version like "1.2.0"; got ${shown(version)}`);
  const { accepts = compatibleRange(version), description } = checkOptions({ op: "contract" }, options, RULES);
  if (!inRange(version, accepts)) throw invalid(`a contract must accept its own version, ${version}`);
  if (typeof sides !== "object" || sides === null) throw invalid("a contract needs its sides: { server, client }");
  const offered = checkOptions({ op: "contract" }, sides, SIDES_RULES);
  const server = checkedMethods(offered.server ?? {});
  const client = checkedMethods(offered.client ?? {});
  return Object.freeze({
    name,
    version,
    accepts,
    server: server as Server,
    client: client as Client,
    hash: fnv1a64(outline(name, version, server, client)),
    description,
  });
}

/** The names of what a side offers, in the order in which messages number them. */
export function methodNames(methods: Methods): readonly string[] {
  return Object.keys(methods).sort();
}

/** The text whose fingerprint is the hash of a contract; `docs/wire-protocol.md` describes it. */
function outline(name: string, version: string, server: Methods, client: Methods): string {
  const side = (word: string, methods: Methods): readonly string[] =>
    methodNames(methods).map((method) => `${word} ${(methods[method] as Method).kind} ${method}\n`);
  return [`${name} ${version}\n`, ...side("server", server), ...side("client", client)].join("");
}

function checkedMethods(methods: Methods): Methods {
  const names = Object.keys(methods);
  if (names.length > MAX_METHODS) throw invalid(`a side may offer at most ${MAX_METHODS} methods; got ${names.length}`);
  const bytes = JSON.stringify(names).length;
  if (bytes > MAX_NAMES_BYTES) {
    const most = `${MAX_NAMES_BYTES} bytes together`;
    throw invalid(`the names of a side may have ${most}; these have ${bytes}: choose shorter ones`);
  }
  for (const name of names) {
    if (!METHOD_NAME.test(name))
      throw invalid(`${JSON.stringify(name)} is no name for a method: letters, digits and _`);
    if (!KINDS.has(methods[name]?.kind)) {
      throw invalid(`the method "${name}" must be made by call(), event() or stream()`);
    }
  }
  return Object.freeze({ ...methods });
}

const KINDS: ReadonlySet<unknown> = new Set(["call", "event", "stream"]);

function invalid(detail: string): UsageError {
  return new UsageError("OPTION_INVALID", { op: "contract", detail });
}

const OFFSET_BASIS = 0xcbf29ce484222325n;
const PRIME = 0x100000001b3n;

/**
 * FNV-1a with 64 bits over the UTF-8 of a text, as 16 hexadecimal digits. Not for secrets: it tells contracts apart that
 * were not made to be confused.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9923
 */
export function fnv1a64(text: string): string {
  let hash = OFFSET_BASIS;
  for (const byte of Buffer.from(text, "utf8")) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * PRIME);
  return hash.toString(16).padStart(16, "0");
}

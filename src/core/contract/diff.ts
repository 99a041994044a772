/** What changed between two versions of a contract, and whether it breaks anybody. */

import { type DescribeOptions, languageOf } from "./describe.ts";
import { DIFF_WORDS, type DiffWords, type Reason } from "./diff-words.ts";
import { isBytes, jsonSchemaOf, type SchemaOrNone } from "./schema.ts";
import { type Contract, type Methods, methodNames } from "./contract.ts";
import { whyNotAccepted } from "./json-schema.ts";
import type { CallMethod, EventMethod, Method, StreamMethod } from "./method.ts";
import { compareVersions, compatibleRange, inRange } from "./version.ts";

/** One difference between two contracts. */
export interface ContractChange {
  /** Where: `server.join`, `client.said`, or `contract`. */
  readonly path: string;
  /** Whether a client of the old contract and a server of the new one may fail to understand each other. */
  readonly breaking: boolean;
  /** What changed, and why that matters. */
  readonly reason: string;
}

/** What {@link diffContracts} answers. */
export interface ContractDiff {
  /** Whether nothing breaks: clients of the old contract can talk to a server of the new one. */
  readonly compatible: boolean;
  /** All differences, the breaking ones first. */
  readonly changes: readonly ContractChange[];
}

/**
 * Compares two contracts. The question is the one that an upgrade asks, where servers come first: *can clients of `older`
 * talk to a server of `newer`?* So the server may offer more, ask for less and answer more, and may call less of the
 * client.
 *
 * Schemas are compared where their library offers JSON Schema. Where it does not, only their library can be compared, and
 * the same library is taken for no change.
 *
 * @example
 * ```ts
 * import { call, contract, diffContracts } from "zocalo/protocol";
 * const older = contract("clock", "1.0.0", { server: { now: call(), zone: call() } });
 * const newer = contract("clock", "1.1.0", { server: { now: call() } });
 * console.log(diffContracts(older, newer).changes[0]?.reason);
 * ```
 */
export function diffContracts(older: Contract, newer: Contract, options: DescribeOptions = {}): ContractDiff {
  const words = DIFF_WORDS[languageOf("diffContracts", options)];
  const changes = [
    ...diffNames(older, newer),
    ...diffSide("server", older.server, newer.server),
    ...diffSide("client", older.client, newer.client),
  ];
  const version = versionProblem(older, newer, changes);
  if (version !== undefined) changes.push(version);
  return {
    compatible: !changes.some((change) => change.breaking),
    changes: changes
      .sort((a, b) => Number(b.breaking) - Number(a.breaking))
      .map((change) => ({ ...change, reason: change.reason(words) })),
  };
}

/** A value of a method. */
type Value = keyof DiffWords["values"];

type Change = Omit<ContractChange, "reason"> & { readonly reason: Reason };

function breaking(path: string, reason: Reason): Change {
  return { path, breaking: true, reason };
}

function harmless(path: string, reason: Reason): Change {
  return { path, breaking: false, reason };
}

function diffNames(older: Contract, newer: Contract): readonly Change[] {
  if (older.name === newer.name) return [];
  return [breaking("contract", (words) => words.renamed(older.name, newer.name))];
}

function versionProblem(older: Contract, newer: Contract, changes: readonly Change[]): Change | undefined {
  const path = "contract";
  const order = compareVersions(newer.version, older.version);
  if (order < 0) return breaking(path, ({ wentBack }) => wentBack(older.version, newer.version));
  if (!inRange(older.version, newer.accepts)) {
    return breaking(path, ({ serversRefuse }) => serversRefuse(older.version, newer.version));
  }
  if (!inRange(newer.version, older.accepts)) {
    return breaking(path, ({ clientsRefuse }) => clientsRefuse(older.version, newer.version));
  }
  if (changes.some((change) => change.breaking)) {
    const { below } = compatibleRange(older.version);
    return breaking(path, ({ mustRise }) => mustRise(below));
  }
  if (order === 0 && changes.length > 0) {
    return harmless(path, ({ stillSame }) => stillSame(older.version));
  }
  return undefined;
}

type Side = "server" | "client";

function diffSide(side: Side, older: Methods, newer: Methods): readonly Change[] {
  const names = [...new Set([...methodNames(older), ...methodNames(newer)])].sort();
  return names.flatMap((name) => {
    const path = `${side}.${name}`;
    const before = older[name];
    const after = newer[name];
    // Who calls what a client does not offer finds out with the handshake, before it sends anything.
    if (before === undefined) return [harmless(path, ({ added }) => added[side])];
    if (after === undefined) return [{ path, breaking: side === "server", reason: ({ removed }) => removed[side] }];
    return diffMethod(side, path, before, after);
  });
}

function diffMethod(side: Side, path: string, before: Method, after: Method): readonly Change[] {
  if (before.kind !== after.kind) {
    return [breaking(path, ({ otherKind, kinds }) => otherKind(kinds[before.kind], kinds[after.kind]))];
  }
  // The old side calls what the server offers, and is called for what the client offers.
  const towards = (what: Value, a: SchemaOrNone, b: SchemaOrNone): readonly Change[] =>
    side === "server" ? diffSchema(path, what, a, b) : diffSchema(path, what, b, a);
  const back = (what: Value, a: SchemaOrNone, b: SchemaOrNone): readonly Change[] => towards(what, b, a);
  if (before.kind === "event") {
    const { message, volatile } = after as EventMethod;
    const changes = [...towards("message", before.message, message)];
    if (before.volatile && !volatile) changes.push(harmless(path, ({ wasVolatile }) => wasVolatile));
    if (!before.volatile && volatile) changes.push(harmless(path, ({ isVolatile }) => isVolatile));
    return changes;
  }
  const changes = [...towards("request", before.request, (after as CallMethod | StreamMethod).request)];
  if (before.kind === "stream") {
    const { sends, receives } = after as StreamMethod;
    changes.push(...towards("receives", before.receives, receives));
    changes.push(...back("sends", before.sends, sends));
    return changes;
  }
  const { idempotent, response } = after as CallMethod;
  changes.push(...back("response", before.response, response));
  if (before.idempotent && !idempotent) changes.push(breaking(path, ({ wasIdempotent }) => wasIdempotent));
  if (!before.idempotent && idempotent) changes.push(harmless(path, ({ isIdempotent }) => isIdempotent));
  return changes;
}

function diffSchema(path: string, what: Value, writer: SchemaOrNone, reader: SchemaOrNone): readonly Change[] {
  return diffValues(path, writer, reader).map(({ reason, ...change }) => ({
    ...change,
    reason: (words) => `${words.values[what]}: ${reason(words)}`,
  }));
}

/** Whether what the writer sends is what the reader accepts. */
function diffValues(path: string, writer: SchemaOrNone, reader: SchemaOrNone): readonly Change[] {
  if (writer === reader) return [];
  if (writer === undefined || reader === undefined || isBytes(writer) !== isBytes(reader)) {
    return [breaking(path, ({ oneSide }) => oneSide)];
  }
  const [sent, accepted] = [jsonSchemaOf(writer), jsonSchemaOf(reader)];
  if (sent === undefined || accepted === undefined) {
    const [from, to] = [writer["~standard"].vendor, reader["~standard"].vendor];
    return from === to ? [] : [harmless(path, ({ vendors }) => vendors(from, to))];
  }
  const problems = whyNotAccepted(sent, accepted);
  if (problems.length > 0) return problems.map((problem) => breaking(path, problem));
  const same = JSON.stringify(sent) === JSON.stringify(accepted);
  return same ? [] : [harmless(path, ({ acceptsMore }) => acceptsMore)];
}

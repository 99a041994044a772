/** What changed between two versions of a contract, and whether it breaks anybody. */

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
export function diffContracts(older: Contract, newer: Contract): ContractDiff {
  const changes = [
    ...diffNames(older, newer),
    ...diffSide("server", older.server, newer.server),
    ...diffSide("client", older.client, newer.client),
  ];
  const version = versionProblem(older, newer, changes);
  if (version !== undefined) changes.push(version);
  return {
    compatible: !changes.some((change) => change.breaking),
    changes: changes.sort((a, b) => Number(b.breaking) - Number(a.breaking)),
  };
}

function breaking(path: string, reason: string): ContractChange {
  return { path, breaking: true, reason };
}

function harmless(path: string, reason: string): ContractChange {
  return { path, breaking: false, reason };
}

function diffNames(older: Contract, newer: Contract): readonly ContractChange[] {
  if (older.name === newer.name) return [];
  const reason = `the protocol was called "${older.name}" and is called "${newer.name}": the handshake refuses that`;
  return [breaking("contract", reason)];
}

function versionProblem(
  older: Contract,
  newer: Contract,
  changes: readonly ContractChange[],
): ContractChange | undefined {
  const path = "contract";
  const order = compareVersions(newer.version, older.version);
  if (order < 0) return breaking(path, `the version went back from ${older.version} to ${newer.version}`);
  if (!inRange(older.version, newer.accepts)) {
    return breaking(path, `servers of ${newer.version} refuse clients of ${older.version}`);
  }
  if (!inRange(newer.version, older.accepts)) {
    return breaking(path, `clients of ${older.version} refuse servers of ${newer.version}`);
  }
  if (changes.some((change) => change.breaking)) {
    const { below } = compatibleRange(older.version);
    return breaking(path, `the version must become ${below}, so that the handshake refuses old clients`);
  }
  if (order === 0 && changes.length > 0) {
    return harmless(path, `the version is still ${older.version}, although something changed`);
  }
  return undefined;
}

type Side = "server" | "client";

function diffSide(side: Side, older: Methods, newer: Methods): readonly ContractChange[] {
  const names = [...new Set([...methodNames(older), ...methodNames(newer)])].sort();
  return names.flatMap((name) => {
    const path = `${side}.${name}`;
    const before = older[name];
    const after = newer[name];
    if (before === undefined) return [added(side, path)];
    if (after === undefined) return [removed(side, path)];
    return diffMethod(side, path, before, after);
  });
}

function added(side: Side, path: string): ContractChange {
  if (side === "server") return harmless(path, "is new; old clients do not know it");
  // The caller finds out with the handshake, before it sends anything.
  return harmless(path, "is new; old clients do not offer it, and calling it there is METHOD_UNKNOWN");
}

function removed(side: Side, path: string): ContractChange {
  if (side === "client") return harmless(path, "is gone; old clients offer it, and nobody calls it");
  return breaking(path, "is gone; old clients that call it get METHOD_UNKNOWN");
}

function diffMethod(side: Side, path: string, before: Method, after: Method): readonly ContractChange[] {
  if (before.kind !== after.kind) {
    return [breaking(path, `was of kind ${before.kind} and is of kind ${after.kind}`)];
  }
  // The old side calls what the server offers, and is called for what the client offers.
  const towards = (what: string, a: SchemaOrNone, b: SchemaOrNone): readonly ContractChange[] =>
    side === "server" ? diffSchema(path, what, a, b) : diffSchema(path, what, b, a);
  const back = (what: string, a: SchemaOrNone, b: SchemaOrNone): readonly ContractChange[] => towards(what, b, a);
  if (before.kind === "event") return towards("the message", before.message, (after as EventMethod).message);
  const changes = [...towards("the request", before.request, (after as CallMethod | StreamMethod).request)];
  if (before.kind === "stream") {
    const { sends, receives } = after as StreamMethod;
    changes.push(...towards("an item that is received", before.receives, receives));
    changes.push(...back("an item that is sent", before.sends, sends));
    return changes;
  }
  const { idempotent, response } = after as CallMethod;
  changes.push(...back("the response", before.response, response));
  if (before.idempotent && !idempotent) changes.push(breaking(path, "was idempotent, and old clients send it again"));
  if (!before.idempotent && idempotent) changes.push(harmless(path, "is idempotent now"));
  return changes;
}

/** Whether what the writer sends is what the reader accepts. */
function diffSchema(path: string, what: string, writer: SchemaOrNone, reader: SchemaOrNone): readonly ContractChange[] {
  if (writer === reader) return [];
  if (writer === undefined || reader === undefined || isBytes(writer) !== isBytes(reader)) {
    return [breaking(path, `${what}: has a schema on one side only, or is bytes on one side only`)];
  }
  const [sent, accepted] = [jsonSchemaOf(writer), jsonSchemaOf(reader)];
  if (sent === undefined || accepted === undefined) {
    const [from, to] = [writer["~standard"].vendor, reader["~standard"].vendor];
    return from === to ? [] : [harmless(path, `${what}: the schemas of ${from} and ${to} cannot be compared`)];
  }
  const problems = whyNotAccepted(sent, accepted);
  if (problems.length > 0) return problems.map((problem) => breaking(path, `${what}: ${problem}`));
  const same = JSON.stringify(sent) === JSON.stringify(accepted);
  return same ? [] : [harmless(path, `${what}: accepts more than before`)];
}

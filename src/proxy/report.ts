/** What the faults of a proxy have done: counts by fault, and digests that are equal when the same was done. */

import type { PlannedPiece } from "../core/faults/stream-plan.ts";
import { hashText } from "../core/faults/random-stream.ts";
import type { ProxyFault } from "./fault.ts";
import type { FaultBoard } from "./fault-board.ts";

/** What was done to one connection, or to the datagrams of one client. */
export interface ConnectionReport {
  /** The name of its proxy. */
  readonly proxy: string;
  /** Its number there. A proxy that takes the name of one that was removed counts from 1 anew. */
  readonly number: number;
  /** Bytes that came from the client. */
  readonly bytesFromClient: number;
  /** Bytes that came from the server. */
  readonly bytesFromServer: number;
  /** How often each fault has acted: chunks that waited, segments and datagrams that were lost, connections that were cut. */
  readonly faults: Readonly<Record<string, number>>;
  /** 8 hexadecimal digits; equal when bytes and counts are. */
  readonly digest: string;
}

/** What all faults have done since the start. */
export interface ProxyReport {
  /** What decided the draws. */
  readonly seed: number;
  /** Connections so far, and clients of datagrams. */
  readonly connections: number;
  /** How often each fault has acted, over all connections. */
  readonly faults: Readonly<Record<string, number>>;
  /** 16 hexadecimal digits over all connections, whatever the order in which they ended: the same traffic and seed give the same. */
  readonly digest: string;
  /** The connections that are open and the last 1000 that are over. */
  readonly details: readonly ConnectionReport[];
}

/** Bytes that passed one proxy since it began, over all its connections. */
export interface ProxyBytes {
  /** Those that came from clients. */
  readonly fromClient: number;
  /** Those that came from the upstream. */
  readonly fromServer: number;
  /** Those that the upstream was given. */
  readonly toServer: number;
  /** Those that clients were given. */
  readonly toClient: number;
}

const NO_COUNTS: ReadonlyMap<string, number> = new Map();

/** Counts the faults of one connection. */
export class FaultCounts {
  /** Made with the first fault: most connections of a crowd have none. */
  #faults: Map<string, number> | undefined;

  get faults(): ReadonlyMap<string, number> {
    return this.#faults ?? NO_COUNTS;
  }

  add(kind: string, times = 1): void {
    if (times <= 0) return;
    this.#faults ??= new Map();
    this.#faults.set(kind, (this.#faults.get(kind) ?? 0) + times);
  }

  /** A chunk was planned. */
  chunk(acting: readonly ProxyFault[], pieces: readonly PlannedPiece[], outcome: string): void {
    for (const { kind } of acting) {
      if (kind === "slicing") this.add(kind, pieces.length);
      else if (kind !== "loss" && kind !== "burst-loss" && kind !== "corruption" && kind !== "cut") this.add(kind);
    }
    for (const { losses, lostTo, flippedBit } of pieces) {
      if (lostTo !== undefined) this.add(lostTo, losses);
      if (flippedBit !== undefined) this.add("corruption");
    }
    if (outcome === "cut") this.add("cut");
  }
}

const KEPT_DETAILS = 1000;

/** What is known of a connection that is counted. */
export interface Counted {
  /** Of its proxy: another proxy of the same name has another one. */
  readonly board: FaultBoard;
  readonly number: number;
  readonly counts: FaultCounts;
  readonly bytesFromClient: number;
  readonly bytesFromServer: number;
  readonly bytesToServer: number;
  readonly bytesToClient: number;
}

const NO_BYTES: ProxyBytes = { fromClient: 0, fromServer: 0, toServer: 0, toClient: 0 };

/** Gathers the counts of all connections. */
export class ReportLedger {
  /** Those that are open, by proxy. */
  readonly #open = new Map<FaultBoard, Set<Counted>>();
  readonly #over: ConnectionReport[] = [];
  readonly #faults = new FaultCounts();
  /** Of the connections that are over, by proxy. */
  readonly #bytes = new WeakMap<FaultBoard, ProxyBytes>();
  #connections = 0;
  #sums: [number, number] = [0, 0];

  begin(counted: Counted): void {
    this.#connections += 1;
    const own = this.#open.get(counted.board);
    if (own === undefined) this.#open.set(counted.board, new Set([counted]));
    else own.add(counted);
  }

  end(counted: Counted): void {
    const own = this.#open.get(counted.board);
    if (own?.delete(counted) !== true) return;
    if (own.size === 0) this.#open.delete(counted.board);
    this.#bytes.set(counted.board, withBytes(this.#bytes.get(counted.board), counted));
    const report = reportOf(counted);
    this.#over.push(report);
    if (this.#over.length > KEPT_DETAILS) this.#over.shift();
    for (const [kind, times] of counted.counts.faults) this.#faults.add(kind, times);
    this.#sums = plus(this.#sums, report);
  }

  /** Bytes of all connections of a proxy. */
  bytesOf(board: FaultBoard): ProxyBytes {
    return Array.from(this.#open.get(board) ?? []).reduce(withBytes, this.#bytes.get(board) ?? NO_BYTES);
  }

  report(seed: number): ProxyReport {
    const open = Array.from(this.#open.values(), (own) => Array.from(own, reportOf)).flat();
    const all = new FaultCounts();
    let sums = this.#sums;
    for (const [kind, times] of this.#faults.faults) all.add(kind, times);
    for (const one of open) {
      for (const [kind, times] of Object.entries(one.faults)) all.add(kind, times);
      sums = plus(sums, one);
    }
    return {
      seed,
      connections: this.#connections,
      faults: sorted(all.faults),
      digest: sums.map(hex).join(""),
      details: [...this.#over, ...open],
    };
  }
}

function withBytes(sums: ProxyBytes = NO_BYTES, counted: Counted): ProxyBytes {
  const { bytesFromClient, bytesFromServer, bytesToServer, bytesToClient } = counted;
  return {
    fromClient: sums.fromClient + bytesFromClient,
    fromServer: sums.fromServer + bytesFromServer,
    toServer: sums.toServer + bytesToServer,
    toClient: sums.toClient + bytesToClient,
  };
}

/** Sums do not depend on the order. */
function plus([a, b]: readonly [number, number], report: ConnectionReport): [number, number] {
  const text = `${report.proxy}/${report.number}/${report.digest}`;
  return [(a + hashText(text)) >>> 0, (b + hashText(text, hashText("second"))) >>> 0];
}

function reportOf({
  board: { name: proxy },
  number,
  counts,
  bytesFromClient,
  bytesFromServer,
}: Counted): ConnectionReport {
  const faults = sorted(counts.faults);
  const digest = hex(hashText(JSON.stringify([proxy, number, bytesFromClient, bytesFromServer, faults])));
  return { proxy, number, bytesFromClient, bytesFromServer, faults, digest };
}

function sorted(faults: ReadonlyMap<string, number>): Readonly<Record<string, number>> {
  return Object.fromEntries([...faults].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function hex(value: number): string {
  return value.toString(16).padStart(8, "0");
}

/** A fault of the proxy: one of the vocabulary, between the hosts `client` and `server`, and when it acts. */

import type { Address } from "../core/address/address.ts";
import { PROBABILITY } from "../core/faults/conditions.ts";
import { checkFault } from "../core/faults/fault-list.ts";
import { EVERY_HOST, type Fault, FAULT_KINDS } from "../core/faults/fault.ts";
import { STREAM_FAULT_RULES, type StreamFault } from "../core/faults/stream-fault.ts";
import {
  checkOptions,
  FLAG,
  MILLISECONDS,
  OBJECT,
  optionInvalid,
  oneOf,
  options as object,
  type OptionRule,
  type RulesOf,
  wholeNumber,
} from "../core/options/check-options.ts";

/** When a fault acts, beside the time between its begin and its end. All that is given must hold. */
export interface ProxyTrigger {
  /** Only these connections, by number: `"3"`, `"1-2"`, `"5-"`. */
  readonly connections?: string | undefined;
  /** Only behind so many bytes of the direction. */
  readonly bytes?: number | undefined;
  /** Only when the connection is so old, in milliseconds. */
  readonly afterMs?: number | undefined;
  /** From the chunk on that completes these bytes in the direction: a text, or `0x` and pairs of hexadecimal digits. */
  readonly match?: string | undefined;
  /** Probability that it acts on a connection at all, from 0 to 1; drawn once for each. Default 1. */
  readonly chance?: number | undefined;
}

/**
 * A fault of the vocabulary of `zocalo/sim`. Hosts are named `client` and `server`: what goes `from: "client", to: "server"` is what
 * the client sends. `*` stands for both. No byte of a connection is lost, doubled or overtaken, as TCP has it: `loss`, `corruption` and
 * `reordering` are delay there, and `duplication` is not seen. `slicing`, `cut`, `linger` and `reset` are for connections only; `pause`,
 * `freeze`, `crash` and `skew` for none. `partition`, `partition-one-way` and `isolate` hold bytes back until they end, and lose
 * datagrams. `reset` resets the connection with the next bytes, or the end, or when it is `when.afterMs` old: behind what came before,
 * and as late as that, but it waits for no slow reader. When no fault is left in a direction, what is under way arrives at once.
 */
export type ProxyFault = (Fault | StreamFault) & {
  /** When it acts. Default: as long as it lasts, on each connection. */
  readonly when?: ProxyTrigger | undefined;
  /**
   * Of `corruption` on connections: the flipped bit arrives, as behind a box that computes the checksum anew. Default false: TCP finds
   * the bit and sends the segment again.
   */
  readonly middlebox?: boolean | undefined;
};

/** A way through a proxy. */
export type Direction = "toServer" | "toClient";

const HEXADECIMAL = /^0x(?:[\da-f]{2})+$/i;
const CONNECTIONS = /^(\d{1,15})(-(\d{1,15})?)?$/;
const TRIGGER_RULES: RulesOf<ProxyTrigger> = {
  connections: {
    wanted: 'numbers of connections from 1 on, the smaller one first, as "3", "1-2" or "5-"',
    holds: (value) => typeof value === "string" && isRange(connectionRange(value)),
  },
  bytes: wholeNumber(0, Number.MAX_SAFE_INTEGER),
  afterMs: MILLISECONDS,
  match: {
    wanted: "a text that is not empty, or 0x and pairs of hexadecimal digits",
    // A slip in hexadecimal digits must not become a text that never passes.
    holds: (value) => typeof value === "string" && value !== "" && (HEXADECIMAL.test(value) || !/^0x/i.test(value)),
  },
  chance: PROBABILITY,
};
const OWN_RULES: Readonly<Record<"when" | "middlebox", OptionRule>> = { when: object(TRIGGER_RULES), middlebox: FLAG };

/** Faults of programs and machines: a proxy has no power over them. */
const OF_HOSTS: ReadonlySet<string> = new Set(["pause", "freeze", "crash", "skew"]);

/** What a proxy has power over. */
const KINDS = [...FAULT_KINDS.filter((kind) => !OF_HOSTS.has(kind)), ...Object.keys(STREAM_FAULT_RULES)];
const KIND_RULE = { kind: { ...oneOf(...KINDS), required: true } };

/** Throws `OPTION_INVALID` for a fault that is none, or that a proxy to `upstream` cannot have; `path` names it in errors. */
export function checkProxyFault(given: ProxyFault, upstream: Address, op: string, path = "fault."): void {
  const name = path.slice(0, -1);
  checkOptions({ op }, { [name]: given }, { [name]: { ...OBJECT, required: true } });
  const { when, middlebox, ...fault } = given;
  checkOptions({ op }, { when, middlebox }, OWN_RULES, path);
  const isUdp = upstream.transport === "udp";
  const wrong = (detail: string): Error => optionInvalid({ op }, `${path}${detail}`);
  const what = `kind ${JSON.stringify(fault.kind)} is no fault of a proxy`;
  if (OF_HOSTS.has(fault.kind)) {
    throw wrong(`${what}, which has no power over a program or its machine; zocalo/sim has`);
  }
  checkOptions({ op }, { kind: fault.kind }, KIND_RULE, path);
  if (isStreamFault(fault)) {
    checkOptions({ op }, fault, STREAM_FAULT_RULES[fault.kind], path);
  } else checkFault({ ...fault, atMs: 0, lastsMs: 0 }, path, op);
  if (isUdp && (isStreamFault(fault) || fault.kind === "reset")) {
    throw wrong(`${what} of datagrams (${String(upstream)}), only of one of connections`);
  }
  directionsOf(fault, op);
  if (isUdp && (when?.match !== undefined || when?.bytes !== undefined)) {
    throw wrong(`when.match and when.bytes are about connections, not about ${String(upstream)}`);
  }
  if (middlebox !== undefined && (fault.kind !== "corruption" || isUdp)) {
    throw wrong("middlebox is for corruption on connections only");
  }
}

/** Why a proxy to `upstream` cannot have a fault; undefined when it can. */
export function refusalOf(fault: ProxyFault, upstream: Address, op: string, path?: string): unknown {
  try {
    checkProxyFault(fault, upstream, op, path);
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Whether a fault is for connections only, and for proxies only. */
export function isStreamFault(fault: Fault | StreamFault): fault is StreamFault {
  return Object.hasOwn(STREAM_FAULT_RULES, fault.kind);
}

/** The ways that a fault is about. */
export function directionsOf(fault: Fault | StreamFault, op: string): readonly Direction[] {
  const known = ["client", "server", EVERY_HOST];
  const hosts = "host" in fault ? [fault.host] : [fault.from, fault.to];
  const strange = hosts.find((host) => !known.includes(host));
  if (strange !== undefined) {
    const detail = `there is no host ${JSON.stringify(strange)}; the hosts of a proxy are "client" and "server"`;
    throw optionInvalid({ op }, detail);
  }
  const both: readonly Direction[] = ["toServer", "toClient"];
  if ("host" in fault) return both;
  const { kind, from, to } = fault;
  const ways = both.filter((way) => {
    const [sender, receiver] = way === "toServer" ? ["client", "server"] : ["server", "client"];
    return from !== receiver && to !== sender;
  });
  if (ways.length > 0) return kind === "partition" || kind === "reset" ? both : ways;
  throw optionInvalid(
    { op },
    `${JSON.stringify(kind)} from ${from} to ${to} is about no way: nothing goes from a host to itself`,
  );
}

function isRange([first, last]: readonly [first: number, last: number]): boolean {
  return first >= 1 && last >= first;
}

/** The first and the last connection that `connections` names; NaN for what is none. */
export function connectionRange(connections: string): readonly [first: number, last: number] {
  const [, first, range, last] = CONNECTIONS.exec(connections) ?? [];
  if (range === undefined) return [Number(first), Number(first)];
  return [Number(first), last === undefined ? Number.POSITIVE_INFINITY : Number(last)];
}

/** The bytes of a `match`. */
export function matchBytes(match: string): Buffer {
  return HEXADECIMAL.test(match) ? Buffer.from(match.slice(2), "hex") : Buffer.from(match);
}

/** A schedule: the list of faults of the simulator, as proxies read and write it. */

import { Address } from "../core/address/address.ts";
import { EVERY_HOST } from "../core/faults/fault.ts";
import { type Choices, FAULT_LIST_FORMAT, faultListJson, faultListText } from "../core/faults/fault-list.ts";
import {
  ANY_TEXT,
  checkOptions,
  LIST,
  MILLISECONDS,
  OBJECT,
  optionInvalid,
  type OptionRules,
  options as object,
  type RulesOf,
  TEXT,
  wholeNumber,
} from "../core/options/check-options.ts";
import { checkProxyFault, type ProxyFault, refusalOf } from "./fault.ts";

/** A fault with its time. */
export type ScheduledFault = ProxyFault & {
  /** When it begins, in milliseconds from the begin of the schedule. */
  readonly atMs: number;
  /** How long it acts, in milliseconds. */
  readonly lastsMs: number;
  /** The name of the only proxy that has it. Default: every proxy that can have it. */
  readonly proxy?: string | undefined;
};

/**
 * What goes wrong when: the form of the lists of faults of `zocalo/sim`, so that what `zocalo sim shrink` has made small is played against
 * real programs. Hosts are named `client` and `server`. A list for proxies may have `slicing`, `cut`, `linger`, `timeout`, `when`,
 * `middlebox` and `proxy` too, which the simulator refuses. `simulation`, `failure` and `choices` mean nothing to a proxy.
 */
export interface ProxySchedule {
  /** The version of the form. */
  readonly format: 1;
  /** The seed of the proxies that start with it, unless they are given one. Default 1. */
  readonly seed?: number | undefined;
  /** When everything is healed, in milliseconds from the begin. Default: when the last fault ends. */
  readonly chaosMs?: number | undefined;
  /** The name of the simulation that it comes from. */
  readonly simulation?: string | undefined;
  /** How that failed. */
  readonly failure?: string | undefined;
  /** What else decided its run. */
  readonly choices?: Choices | undefined;
  /** What goes wrong. Of faults that begin at one moment, the first one begins first. */
  readonly faults: readonly ScheduledFault[];
}

/** Options of `parseSchedule`. */
export interface ParseScheduleOptions {
  /**
   * Which hosts of the list are the client and the server, where it has others: `{ client: "alice", server: ["bob", "carol"] }`.
   * Default: those of these names.
   */
  readonly hosts?: Partial<Readonly<Record<"client" | "server", string | readonly string[]>>> | undefined;
}

const SCHEDULE_RULES: RulesOf<ProxySchedule> = {
  format: { wanted: String(FAULT_LIST_FORMAT), holds: (value) => value === FAULT_LIST_FORMAT, required: true },
  seed: wholeNumber(0, Number.MAX_SAFE_INTEGER),
  chaosMs: MILLISECONDS,
  simulation: ANY_TEXT,
  failure: ANY_TEXT,
  choices: OBJECT,
  faults: LIST,
};
const TIME: OptionRules = {
  atMs: { ...MILLISECONDS, required: true },
  lastsMs: { ...MILLISECONDS, required: true },
  proxy: TEXT,
};
const NAMES = {
  wanted: "the name of a host, or an array of names",
  holds: (value: unknown) => [value].flat().every((name) => typeof name === "string"),
};
const PARSE_RULES: RulesOf<ParseScheduleOptions> = { hosts: object({ client: NAMES, server: NAMES }) };

/**
 * Writes a schedule as JSON with a line for each fault.
 *
 * @example
 * ```ts
 * import { formatSchedule, parseSchedule } from "zocalo/proxy";
 * const cut = { atMs: 0, lastsMs: 500, kind: "partition", from: "client", to: "server" } as const;
 * const text = formatSchedule({ format: 1, seed: 7, faults: [cut] });
 * console.log(parseSchedule(text).faults[0]?.lastsMs); // 500
 * ```
 */
export function formatSchedule(schedule: ProxySchedule): string {
  return faultListText(schedule);
}

/**
 * Reads a schedule. Throws `OPTION_INVALID`, naming the field, for what is none, for a fault that no proxy can have, and for hosts that
 * are neither `client` nor `server` and that `hosts` does not name.
 *
 * @example
 * ```ts
 * import { parseSchedule } from "zocalo/proxy";
 * const text = '{ "format": 1, "faults": [{ "atMs": 5, "lastsMs": 10, "kind": "isolate", "host": "alice" }] }';
 * const { faults } = parseSchedule(text, { hosts: { client: "alice" } });
 * console.log(faults[0]); // { atMs: 5, lastsMs: 10, kind: 'isolate', host: 'client' }
 * ```
 */
export function parseSchedule(text: string, options: ParseScheduleOptions = {}): ProxySchedule {
  const op = "parseSchedule";
  const { hosts = {} } = checkOptions({ op }, options, PARSE_RULES);
  const given = faultListJson(text, op) as ProxySchedule;
  const { faults, ...head } = checkForm(given, op);
  const names = hostsIn(faults);
  const roles = new Map<unknown, string>();
  for (const [role, own] of Object.entries(hosts)) {
    for (const name of [own].flat()) {
      if (!names.includes(name)) throw noHost(name, names, op);
      roles.set(name, role);
    }
  }
  const renamed = (value: unknown): unknown => roles.get(value) ?? value;
  const named = faults.map((fault) => {
    const own = Object.entries(fault).map(([field, value]) => [field, HOST_FIELDS.has(field) ? renamed(value) : value]);
    return Object.fromEntries(own) as ScheduledFault;
  });
  return checkSchedule({ ...head, faults: named }, [], op);
}

const HOST_FIELDS: ReadonlySet<string> = new Set(["from", "to", "host"]);
const KNOWN_HOSTS: ReadonlySet<string> = new Set(["client", "server", EVERY_HOST]);

/** What a proxy must be known by, for its faults to be looked at. */
export interface ScheduleTarget {
  readonly name: string;
  readonly upstream: Address;
}

/** Throws `OPTION_INVALID` for what none of the proxies could play; answers what counts. Without proxies only the form is looked at. */
export function checkSchedule(given: ProxySchedule, targets: readonly ScheduleTarget[], op: string): ProxySchedule {
  const schedule = checkForm(given, op);
  const names = hostsIn(schedule.faults);
  const strange = names.find((name) => !KNOWN_HOSTS.has(name));
  if (strange !== undefined) throw noHost(strange, names, op);
  for (const [index, { atMs, lastsMs, proxy, ...fault }] of schedule.faults.entries()) {
    const path = `schedule.faults[${index}].`;
    checkOptions({ op }, { atMs, lastsMs, proxy }, TIME, path);
    // Whatever datagrams can have, connections can have.
    checkProxyFault(fault, Address.fromIp("tcp", "127.0.0.1", 1), op, path);
    if (targets.length > 0) checkTargets(fault, proxy, targets, op, path);
  }
  // A copy: what has been checked stays so while it is played.
  return structuredClone(schedule);
}

/** The proxy that is named must be able to have the fault; without a name one of them. */
function checkTargets(
  fault: ProxyFault,
  proxy: string | undefined,
  targets: readonly ScheduleTarget[],
  op: string,
  path: string,
): void {
  const own = targets.filter(({ name }) => name === (proxy ?? name));
  const refusals = own.map(({ upstream }) => refusalOf(fault, upstream, op, path));
  if (refusals.includes(undefined)) return;
  if (refusals.length > 0) throw refusals[0];
  const names = targets.map(({ name }) => JSON.stringify(name)).join(", ");
  throw optionInvalid({ op }, `${path}proxy must be one of ${names}, not ${JSON.stringify(proxy)}`);
}

/** The fault itself, as a proxy has it. */
export function faultOf({ atMs: _at, lastsMs: _lasts, proxy: _proxy, ...fault }: ScheduledFault): ProxyFault {
  return fault;
}

/** When each fault ends. */
export function endMsOf(
  { atMs, lastsMs }: ScheduledFault,
  { chaosMs = Number.POSITIVE_INFINITY }: ProxySchedule,
): number {
  return Math.min(atMs + lastsMs, chaosMs);
}

function checkForm(given: ProxySchedule, op: string): ProxySchedule {
  const { schedule } = checkOptions({ op }, { schedule: given }, { schedule: object(SCHEDULE_RULES, true) });
  const wrong = schedule.faults.findIndex((fault: unknown) => !OBJECT.holds(fault));
  if (wrong < 0) return schedule;
  throw optionInvalid({ op }, `schedule.faults[${wrong}] must be an object`);
}

function hostsIn(faults: readonly ScheduledFault[]): readonly string[] {
  const named = faults.flatMap((fault) => ("host" in fault ? [fault.host] : [fault.from, fault.to]));
  return [...new Set(named.filter((name) => typeof name === "string" && name !== EVERY_HOST))];
}

function noHost(name: string, names: readonly string[], op: string): Error {
  const all = names.map((one) => JSON.stringify(one)).join(", ");
  const has = names.length === 0 ? "none" : all;
  if (!names.includes(name))
    return optionInvalid({ op }, `the schedule has no host ${JSON.stringify(name)}; it has ${has}`);
  return optionInvalid(
    { op },
    `the schedule has the hosts ${all}; those of a proxy are "client" and "server": say with \`hosts\` which one is which`,
  );
}

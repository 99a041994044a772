/** A list of faults with all else that decided a run: what is stored of a failure, and what replays it. */

import {
  ANY_TEXT,
  ANYTHING,
  checkOptions,
  FLAG,
  LIST,
  numberFrom,
  oneOf,
  optionInvalid,
  options as object,
  type RulesOf,
  shown,
  wholeNumber,
} from "../options/check-options.ts";
import { FAULT_KINDS, FAULT_RULES, type TimedFault } from "./fault.ts";
import { type Latency, latencyTable } from "./latency.ts";
import { STREAM_FAULT_KINDS } from "./stream-fault.ts";

/** The version of the form, in each list. */
export const FAULT_LIST_FORMAT = 1 as const;

/** What a seed decides beside the faults. The boring choice is `false` for both, and a constant latency. */
export interface Choices {
  /** Cut reads at seeded places. */
  readonly cutReads: boolean;
  /** Permute the events of one moment. */
  readonly permute: boolean;
  /** One-way delay of every link that the program does not set. */
  readonly latency: Latency;
}

/**
 * A list of faults, as it stands in a file of JSON. With the same program it gives the same run, whatever the seed would
 * draw in a later version.
 */
export interface FaultList {
  /** The version of this form. */
  readonly format: 1;
  /** The name of the simulation. */
  readonly simulation: string;
  /** Decides what neither the faults nor the program do: which packet is the lost one, which port is free. */
  readonly seed: number;
  /** How the run failed: the identity of its failure; left out when it did not. */
  readonly failure?: string | undefined;
  /** When everything is healed, in virtual milliseconds since the world began. */
  readonly chaosMs: number;
  /** What else the seed decided. */
  readonly choices: Choices;
  /** What went wrong, in the order in which it began. */
  readonly faults: readonly TimedFault[];
}

const LIST_RULES: RulesOf<FaultList> = {
  format: {
    wanted: String(FAULT_LIST_FORMAT),
    holds: (value) => value === FAULT_LIST_FORMAT,
    required: true,
  },
  simulation: { ...ANY_TEXT, required: true },
  seed: { ...wholeNumber(0, Number.MAX_SAFE_INTEGER), required: true },
  failure: ANY_TEXT,
  chaosMs: { ...numberFrom(0), required: true },
  choices: object(
    { cutReads: { ...FLAG, required: true }, permute: { ...FLAG, required: true }, latency: ANYTHING },
    true,
  ),
  faults: LIST,
};

/**
 * Writes a list as JSON with a line for each fault, for people who read it and for their version control.
 *
 * @example
 * ```ts
 * import { explore, formatFaultList, parseFaultList, simulation } from "zocalo/sim";
 * const { list } = await explore(simulation({}, (world) => world.healed), { seed: 5 });
 * console.log(parseFaultList(formatFaultList(list)).seed); // 5
 * ```
 */
export function formatFaultList(list: FaultList): string {
  return faultListText(list);
}

/** Any list that has faults, as {@link formatFaultList} writes it. */
export function faultListText({ faults, ...head }: { readonly faults: readonly object[] }): string {
  const lines = Object.entries(head)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `  ${JSON.stringify(name)}: ${spaced(value)},`);
  const list = faults.map((fault) => `    ${spaced(fault)}`).join(",\n");
  return `{\n${lines.join("\n")}\n  "faults": [${list === "" ? "" : `\n${list}\n  `}]\n}\n`;
}

/** JSON on one line, with spaces where a formatter would have them. */
function spaced(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(spaced).join(", ")}]`;
  const given = Object.entries(value).filter(([, field]) => field !== undefined);
  const fields = given.map(([name, field]) => `${JSON.stringify(name)}: ${spaced(field)}`);
  return fields.length === 0 ? "{}" : `{ ${fields.join(", ")} }`;
}

/**
 * Reads a list; throws `OPTION_INVALID` for what is none, naming the field. `op` is the call that reads it.
 *
 * @example
 * ```ts
 * import { parseFaultList } from "zocalo/sim";
 * try {
 *   parseFaultList('{ "format": 7 }');
 * } catch (error) {
 *   console.log((error as Error).message.includes("format must be 1")); // true
 * }
 * ```
 */
export function parseFaultList(text: string, op = "parseFaultList"): FaultList {
  const given = { list: faultListJson(text, op) as FaultList };
  const { list } = checkOptions({ op }, given, { list: object(LIST_RULES, true) });
  latencyTable(list.choices.latency, op, "list.choices.latency");
  for (const [index, fault] of list.faults.entries()) checkFault(fault, `list.faults[${index}].`, op);
  return list;
}

/** What a file has that should be a list; throws `OPTION_INVALID` for what is no JSON. */
export function faultListJson(text: string, op: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw optionInvalid({ op }, `this is no list of faults: list must be JSON, not ${shown(text)}`);
  }
}

const KIND = { kind: { ...oneOf(...FAULT_KINDS), required: true } };
/** What only a list for a proxy has in a fault. */
const OF_PROXIES = ["when", "middlebox", "proxy"] as const;

/** Checks one fault; throws `OPTION_INVALID`. `path` stands before its fields in the error. */
export function checkFault(fault: TimedFault, path: string, op: string): void {
  const { kind, ...fields } = Object(fault) as { readonly kind?: string };
  const own = OF_PROXIES.find((name) => name in fields);
  const ofProxies = STREAM_FAULT_KINDS.some((one) => one === kind) ? `kind ${JSON.stringify(kind)}` : own;
  if (ofProxies !== undefined) {
    throw optionInvalid({ op }, `${path}${ofProxies} is for zocalo/proxy alone; play this list there, or take it out`);
  }
  checkOptions({ op }, { kind }, KIND, path);
  checkOptions({ op }, fault, FAULT_RULES[fault.kind], path);
  if (fault.kind === "latency") latencyTable(fault.latency, op, `${path}latency`);
}

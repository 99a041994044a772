/** A list of faults with all else that decided a run: what is stored of a failure, and what replays it. */

import { UsageError } from "../errors.ts";
import { linkTable } from "./conditions.ts";
import { FAULT_KINDS, type FaultKind, linkChange, type TimedFault } from "./fault.ts";
import { type Latency, latencyTable } from "./latency.ts";

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
export function formatFaultList({ faults, ...head }: FaultList): string {
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
  const fields = Object.entries(value).map(([name, field]) => `${JSON.stringify(name)}: ${spaced(field)}`);
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
  const reader = new FieldReader(op);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    reader.refuse("the list", "JSON", text.slice(0, 20));
  }
  const list = reader.object("the list", value);
  if (list["format"] !== FAULT_LIST_FORMAT) reader.refuse("format", String(FAULT_LIST_FORMAT), list["format"]);
  const choices = reader.object("choices", list["choices"]);
  const faults = list["faults"];
  if (!Array.isArray(faults)) return reader.refuse("faults", "a list", faults);
  return {
    format: FAULT_LIST_FORMAT,
    simulation: reader.text("simulation", list["simulation"]),
    seed: reader.whole("seed", list["seed"]),
    ...(list["failure"] === undefined ? {} : { failure: reader.text("failure", list["failure"]) }),
    chaosMs: reader.number("chaosMs", list["chaosMs"]),
    choices: {
      cutReads: reader.boolean("choices.cutReads", choices["cutReads"]),
      permute: reader.boolean("choices.permute", choices["permute"]),
      latency: reader.latency("choices.latency", choices["latency"]),
    },
    faults: faults.map((fault, index) => readFault(`faults[${index}]`, fault, reader)),
  };
}

function readFault(where: string, value: unknown, reader: FieldReader): TimedFault {
  const fields = reader.object(where, value);
  const { kind } = fields;
  if (!FAULT_KINDS.includes(kind as FaultKind)) reader.refuse(`${where}.kind`, FAULT_KINDS.join(", "), kind);
  const placed = ["isolate", "pause", "freeze", "crash", "skew"].includes(kind as string);
  for (const name of placed ? ["host"] : ["from", "to"]) reader.text(`${where}.${name}`, fields[name]);
  for (const name of ["atMs", "lastsMs", ...(NUMBERS[kind as FaultKind] ?? [])]) {
    const number = reader.number(`${where}.${name}`, fields[name]);
    if (number < 0) reader.refuse(`${where}.${name}`, "a number from 0 on", number);
  }
  const fault = fields as unknown as TimedFault;
  if (fault.kind === "latency") reader.latency(`${where}.latency`, fault.latency);
  // Probabilities out of their range are refused as those of a link are.
  linkTable(linkChange(fault) ?? {}, undefined, reader.op);
  return fault;
}

/** The numbers of each kind beside its time. */
const NUMBERS: Partial<Record<FaultKind, readonly string[]>> = {
  loss: ["chance"],
  duplication: ["chance"],
  corruption: ["chance"],
  "burst-loss": ["enter", "leave"],
  reordering: ["chance", "delayMs"],
  bandwidth: ["bitsPerSecond"],
  skew: ["skewMs"],
};

/** Takes fields out of a value of which nothing is known. */
class FieldReader {
  readonly op: string;

  constructor(op: string) {
    this.op = op;
  }

  refuse(field: string, wanted: string, value: unknown): never {
    const detail = `this is no list of faults: ${field} must be ${wanted}, not ${JSON.stringify(value)}`;
    throw new UsageError("OPTION_INVALID", { op: this.op, detail });
  }

  object(field: string, value: unknown): Readonly<Record<string, unknown>> {
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
    return this.refuse(field, "an object", value);
  }

  text(field: string, value: unknown): string {
    return typeof value === "string" ? value : this.refuse(field, "a text", value);
  }

  boolean(field: string, value: unknown): boolean {
    return typeof value === "boolean" ? value : this.refuse(field, "true or false", value);
  }

  number(field: string, value: unknown): number {
    return typeof value === "number" ? value : this.refuse(field, "a number", value);
  }

  whole(field: string, value: unknown): number {
    return Number.isSafeInteger(value) && (value as number) >= 0
      ? (value as number)
      : this.refuse(field, "a whole number from 0 on", value);
  }

  latency(field: string, value: unknown): Latency {
    if (typeof value !== "number") this.object(field, value);
    latencyTable(value as Latency, this.op);
    return value as Latency;
  }
}

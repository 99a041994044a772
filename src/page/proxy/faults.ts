/** The faults that a proxy can have: their fields as a form has them, and how they read. */

import type { FaultFields } from "../../proxy/page/wire.ts";
import { type Kind, kindName } from "./kind-name.ts";
import { numberText, typedNumber } from "./typed-number.ts";

/** A field of a form: its name there, its unit, and what stands in it first. */
export interface Field {
  readonly name: string;
  readonly unit: "ms" | "B" | "kB/s" | "share" | "flag" | "text";
  /** Empty where it may be. */
  readonly first: string;
}

/** What a fault of a kind has. */
export interface KindForm {
  readonly fields: readonly Field[];
  /** What can have it. */
  readonly on: "connections" | "datagrams" | "both";
  /** Whether it has a direction that can be chosen. */
  readonly hasWay: boolean;
  /** What colour its band has: what it delays, loses, or ends. */
  readonly sort: "delay" | "loss" | "end" | "silence";
}

const ms = (name: string, first: string): Field => ({ name, unit: "ms", first });
const chance = (first: string): Field => ({ name: "chance", unit: "share", first });

/** All kinds. */
export const KINDS: Readonly<Record<Kind, KindForm>> = {
  latency: { fields: [ms("latency", "100"), ms("jitter", "0")], on: "both", hasWay: true, sort: "delay" },
  loss: { fields: [chance("0.05")], on: "both", hasWay: true, sort: "loss" },
  "burst-loss": {
    fields: [
      { name: "enter", unit: "share", first: "0.02" },
      { name: "leave", unit: "share", first: "0.3" },
    ],
    on: "both",
    hasWay: true,
    sort: "loss",
  },
  bandwidth: { fields: [{ name: "rate", unit: "kB/s", first: "64" }], on: "both", hasWay: true, sort: "delay" },
  corruption: {
    fields: [chance("0.01"), { name: "middlebox", unit: "flag", first: "" }],
    on: "both",
    hasWay: true,
    sort: "loss",
  },
  duplication: { fields: [chance("0.1")], on: "both", hasWay: true, sort: "loss" },
  reordering: { fields: [chance("0.1"), ms("delayMs", "50")], on: "both", hasWay: true, sort: "delay" },
  slicing: {
    fields: [
      { name: "averageBytes", unit: "B", first: "64" },
      { name: "variationBytes", unit: "B", first: "32" },
      ms("delayMs", "5"),
    ],
    on: "connections",
    hasWay: true,
    sort: "delay",
  },
  cut: { fields: [{ name: "bytes", unit: "B", first: "1000" }], on: "connections", hasWay: true, sort: "end" },
  linger: { fields: [ms("delayMs", "1000")], on: "connections", hasWay: true, sort: "delay" },
  timeout: { fields: [ms("afterMs", "")], on: "connections", hasWay: true, sort: "end" },
  reset: { fields: [], on: "connections", hasWay: false, sort: "end" },
  partition: { fields: [], on: "both", hasWay: false, sort: "silence" },
  "partition-one-way": { fields: [], on: "both", hasWay: true, sort: "silence" },
  isolate: { fields: [], on: "both", hasWay: false, sort: "silence" },
};

/** When a fault acts: fields that each kind may have. */
export const WHEN: readonly Field[] = [
  { name: "connections", unit: "text", first: "" },
  { name: "bytes", unit: "B", first: "" },
  ms("afterMs", ""),
  { name: "match", unit: "text", first: "" },
  { name: "chance", unit: "share", first: "" },
];

/** What stands in a form. Fields of `when` begin with `when.`. */
export type Values = Readonly<Record<string, string>>;

/** A direction, as a form has it. */
const WAYS = { both: ["*", "*"], toServer: ["client", "server"], toClient: ["server", "client"] } as const;

const BITS_A_KILOBYTE = 8000;

/** The kinds that a proxy can have. */
export function kindsFor(datagrams: boolean): readonly Kind[] {
  const not = datagrams ? "connections" : "datagrams";
  return (Object.keys(KINDS) as Kind[]).filter((kind) => KINDS[kind].on !== not);
}

/** What stands in the form of a kind first. */
export function firstValues(kind: Kind): Values {
  const own = KINDS[kind].fields.map(({ name, first }) => [name, first] as const);
  return { way: kind === "partition-one-way" ? "toServer" : "both", ...Object.fromEntries(own) };
}

/**
 * The fault that a form describes. What makes no sense goes along as it is: the server says what is wrong. Throws `TwoNumbers` for a
 * number that would make sense in two ways.
 */
export function faultFrom(kind: Kind, values: Values): FaultFields {
  const [from, to] = WAYS[(values["way"] ?? "both") as keyof typeof WAYS] ?? WAYS.both;
  const where = kind === "isolate" ? { host: "server" } : { from, to };
  const own: Record<string, unknown> = {};
  for (const field of KINDS[kind].fields) {
    const value = valueOf(field, values[field.name] ?? "");
    if (value !== undefined) own[field.name] = value;
  }
  const when: Record<string, unknown> = {};
  for (const field of WHEN) {
    const value = valueOf(field, values[`when.${field.name}`] ?? "");
    if (value !== undefined) when[field.name] = value;
  }
  const acts = Object.keys(when).length === 0 ? {} : { when };
  return { kind, ...where, ...inItsUnits(kind, own), ...acts };
}

function valueOf({ unit }: Field, text: string): unknown {
  if (unit === "flag") return text === "" ? undefined : true;
  if (text.trim() === "") return undefined;
  return unit === "text" ? text : typedNumber(text);
}

/** As the fault has it: jitter is a part of the latency, and a bandwidth is in bits. */
function inItsUnits(kind: Kind, own: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { latency, jitter, rate } = own;
  if (kind === "bandwidth" && typeof rate === "number") return { bitsPerSecond: rate * BITS_A_KILOBYTE };
  if (kind !== "latency") return own;
  if (jitter === undefined || jitter === 0) return { latency };
  if (typeof latency !== "number" || typeof jitter !== "number") return own;
  return { latency: { kind: "uniform", fromMs: Math.max(0, latency - jitter), toMs: latency + jitter } };
}

/** The form of a fault; undefined for one that no form can say, such as a latency of another distribution. */
export function valuesOf(fault: FaultFields): Values | undefined {
  if (!Object.hasOwn(KINDS, fault.kind)) return undefined;
  const kind = fault.kind as Kind;
  const { kind: _kind, from, to, host: _host, when, latency, bitsPerSecond, ...rest } = fault;
  const way = from === to ? "both" : from === "client" || to === "server" ? "toServer" : "toClient";
  const values: Record<string, unknown> = { way, ...rest };
  if (typeof bitsPerSecond === "number") values["rate"] = bitsPerSecond / BITS_A_KILOBYTE;
  for (const [name, value] of Object.entries(when ?? {})) values[`when.${name}`] = value;
  if (typeof latency === "number") Object.assign(values, { latency, jitter: 0 });
  const { kind: shape, fromMs, toMs } = (latency ?? {}) as Readonly<Record<string, unknown>>;
  if (shape === "uniform") {
    const [least, most] = [Number(fromMs), Number(toMs)];
    Object.assign(values, { latency: (least + most) / 2, jitter: (most - least) / 2 });
  }
  const text = (value: unknown): string => {
    if (typeof value === "number") return numberText(value);
    return value === true ? "on" : String(value);
  };
  const form = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, text(value)] as const));
  // Only what comes back as it was can be changed in a form.
  return sameJson(faultFrom(kind, form), { ...fault, kind }) ? form : undefined;
}

function sameJson(one: FaultFields, other: FaultFields): boolean {
  const sorted = (value: unknown): unknown =>
    typeof value === "object" && value !== null
      ? Object.entries(value)
          .toSorted(([a], [b]) => (a < b ? -1 : 1))
          .map(([name, own]) => [name, sorted(own)])
      : value;
  return JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
}

/** What a fault does, in short: `latency 100 ms`, `loss 5 % →`. */
export function faultText(fault: FaultFields, language: string): string {
  // What is small is not nothing.
  const digits = (value: number): Intl.NumberFormatOptions =>
    value < 1 ? { maximumSignificantDigits: 2 } : { maximumFractionDigits: 2 };
  const figure = (value: unknown): string => Number(value).toLocaleString(language, digits(Number(value)));
  const share = (value: unknown): string => `${figure(Number(value) * 100)} %`;
  const parts: string[] = [kindName(fault.kind, language)];
  const latency = fault["latency"] as number | Readonly<Record<string, unknown>> | undefined;
  if (typeof latency === "number") parts.push(`${figure(latency)} ms`);
  else if (latency?.["kind"] === "uniform") parts.push(`${figure(latency["fromMs"])}–${figure(latency["toMs"])} ms`);
  if (typeof fault["chance"] === "number") parts.push(share(fault["chance"]));
  if (typeof fault["enter"] === "number") parts.push(`${share(fault["enter"])} / ${share(fault["leave"])}`);
  if (typeof fault["bitsPerSecond"] === "number")
    parts.push(`${figure(fault["bitsPerSecond"] / BITS_A_KILOBYTE)} kB/s`);
  for (const name of ["averageBytes", "bytes"])
    if (typeof fault[name] === "number") parts.push(`${figure(fault[name])} B`);
  for (const name of ["delayMs", "afterMs"])
    if (typeof fault[name] === "number") parts.push(`${figure(fault[name])} ms`);
  const { from, to } = fault;
  if (from !== to && fault.kind !== "partition") parts.push(from === "client" || to === "server" ? "→" : "←");
  if (fault["when"] !== undefined) parts.push("…");
  return parts.join(" ");
}

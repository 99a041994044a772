/** The toxics of Toxiproxy 2, as faults of the vocabulary. */

import { type Latency } from "../../core/faults/latency.ts";
import type { ProxyFault } from "../fault.ts";
import { ApiError, badBody, checkName } from "./api-error.ts";

/** Which way a toxic acts: `upstream` is what the client sends. */
export type ToxicStream = "upstream" | "downstream";

/** The attributes of a toxic: numbers by name. */
export type ToxicAttributes = Readonly<Record<string, number>>;

/** A toxic as it stands in JSON. */
export interface Toxic {
  readonly attributes: ToxicAttributes;
  readonly name: string;
  readonly type: string;
  readonly stream: ToxicStream;
  /** The share of connections that it acts on, from 0 to 1. */
  readonly toxicity: number;
}

type Way = { readonly from: string; readonly to: string };

/** A type of toxic: its attributes with their defaults, and what it is. */
interface ToxicType {
  readonly defaults: ToxicAttributes;
  /** The largest value of an attribute; Infinity unless it is a share. */
  readonly most?: number;
  faults(attributes: ToxicAttributes, way: Way): readonly ProxyFault[];
}

const BITS_A_KILOBYTE = 8000;

const TYPES: Readonly<Record<string, ToxicType>> = {
  latency: {
    defaults: { latency: 0, jitter: 0 },
    faults: ({ latency = 0, jitter = 0 }, way) => [{ kind: "latency", ...way, latency: around(latency, jitter) }],
  },
  bandwidth: {
    defaults: { rate: 0 },
    // Toxiproxy knows no rate of 0: it does not delay.
    faults: ({ rate = 0 }, way) =>
      rate === 0 ? [] : [{ kind: "bandwidth", ...way, bitsPerSecond: rate * BITS_A_KILOBYTE }],
  },
  slow_close: {
    defaults: { delay: 0 },
    faults: ({ delay = 0 }, way) => [{ kind: "linger", ...way, delayMs: delay }],
  },
  timeout: {
    defaults: { timeout: 0 },
    faults: ({ timeout = 0 }, way) => [{ kind: "timeout", ...way, ...(timeout === 0 ? {} : { afterMs: timeout }) }],
  },
  reset_peer: {
    defaults: { timeout: 0 },
    faults: ({ timeout = 0 }, way) => [{ kind: "reset", ...way, when: { afterMs: timeout } }],
  },
  slicer: {
    defaults: { average_size: 0, size_variation: 0, delay: 0 },
    // Microseconds.
    faults: ({ average_size: averageBytes = 0, size_variation: variationBytes = 0, delay = 0 }, way) =>
      averageBytes === 0 ? [] : [{ kind: "slicing", ...way, averageBytes, variationBytes, delayMs: delay / 1000 }],
  },
  limit_data: {
    defaults: { bytes: 0 },
    faults: ({ bytes = 0 }, way) => [{ kind: "cut", ...way, bytes }],
  },
  packet_loss: {
    defaults: { loss_rate: 0, correlation: 0 },
    most: 1,
    faults: ({ loss_rate: rate = 0, correlation = 0 }, way) => [lossOf(rate, correlation, way)],
  },
};

/** Toxiproxy spreads a latency evenly around its mean. */
function around(latencyMs: number, jitterMs: number): Latency {
  if (jitterMs === 0) return latencyMs;
  return { kind: "uniform", fromMs: Math.max(0, latencyMs - jitterMs), toMs: latencyMs + jitterMs };
}

/** With a correlation, a packet fares as the one before with that probability: bursts, with the same share lost. */
function lossOf(rate: number, correlation: number, way: Way): ProxyFault {
  if (correlation === 0 || rate === 0 || rate === 1) return { kind: "loss", ...way, chance: rate };
  const redrawn = 1 - correlation;
  return { kind: "burst-loss", ...way, enter: redrawn * rate, leave: redrawn * (1 - rate) };
}

/** What a toxic does. Its toxicity is drawn once for each connection. */
export function faultsOf({ type, attributes, stream, toxicity }: Toxic): readonly ProxyFault[] {
  const way = stream === "upstream" ? { from: "client", to: "server" } : { from: "server", to: "client" };
  const faults = TYPES[type]?.faults(attributes, way) ?? [];
  return toxicity === 1 ? faults : faults.map((fault) => ({ ...fault, when: { ...fault.when, chance: toxicity } }));
}

/** Reads a toxic that is to be added. @throws ApiError */
export function readToxic(body: Readonly<Record<string, unknown>>): Toxic {
  const { stream: way = "downstream", type = "" } = body;
  const stream = typeof way === "string" ? way.toLowerCase() : way;
  if (stream !== "upstream" && stream !== "downstream") {
    throw new ApiError(400, "stream was invalid, can be either upstream or downstream");
  }
  const known = typeof type === "string" ? typeOf(type) : undefined;
  if (known === undefined) throw new ApiError(400, "invalid toxic type");
  const { name = "", toxicity, attributes } = body;
  if (typeof name !== "string") throw badBody("name must be a text");
  if (name !== "") checkName(name);
  return {
    attributes: { ...known.defaults, ...readAttributes(attributes, known) },
    name: name === "" ? `${String(type)}_${stream}` : name,
    type: String(type),
    stream,
    toxicity: readToxicity(toxicity) ?? 1,
  };
}

/** A toxic as a change leaves it: only its attributes and its toxicity can change. @throws ApiError */
export function changedToxic(toxic: Toxic, body: Readonly<Record<string, unknown>>): Toxic {
  const known = typeOf(toxic.type) as ToxicType;
  const attributes = { ...toxic.attributes, ...readAttributes(body["attributes"], known) };
  return { ...toxic, attributes, toxicity: readToxicity(body["toxicity"]) ?? toxic.toxicity };
}

function typeOf(type: string): ToxicType | undefined {
  return Object.hasOwn(TYPES, type) ? TYPES[type] : undefined;
}

function readToxicity(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "number" && value >= 0 && value <= 1) return value;
  throw badBody("toxicity must be a number from 0 to 1");
}

function readAttributes(given: unknown, { defaults, most = Infinity }: ToxicType): ToxicAttributes {
  if (given === undefined || given === null) return {};
  if (typeof given !== "object" || Array.isArray(given)) throw badBody("attributes must be an object");
  const names = Object.keys(defaults);
  for (const [name, value] of Object.entries(given)) {
    if (!names.includes(name)) throw badBody(`there is no attribute ${JSON.stringify(name)}, but ${names.join(", ")}`);
    const holds = typeof value === "number" && Number.isFinite(value) && value >= 0 && value <= most;
    if (!holds) throw badBody(`${name} must be a number from 0 ${most === Infinity ? "on" : `to ${most}`}`);
  }
  return given as ToxicAttributes;
}

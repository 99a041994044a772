/** What happened in a world, as lines and as one number: two runs are the same when these are. */

import { hashText, mix32 } from "../../core/faults/random-stream.ts";
import { flagsOf, type Packet, type Segment } from "../kernel/packet.ts";

/** The version of the form of the trace, in its header. */
export const TRACE_VERSION = 1;

const PRIME = 0x01000193;

/** One line of a trace. */
export interface TraceRecord {
  /** Microseconds since the world began. */
  readonly t: number;
  /** Where it happened: a host, or `world`. */
  readonly host: string;
  /** The connection or datagram socket: `tcp 192.0.2.1:49152>192.0.2.2:80`; empty where there is none. */
  readonly flow: string;
  /** What happened: `send S. 101/5`, with flags and numbers of a segment; `lost datagram (partition)`; `crash`; `ended`. */
  readonly event: string;
  /** Bytes. */
  readonly length: number;
  /** Of the bytes, in hexadecimal. */
  readonly hash: string;
  /** All that happened before and this: the rolling hash. */
  readonly digest: string;
}

/** Receives the lines of a trace, the header first, each with its line feed. */
export type TraceSink = (line: string) => void;

/** Writes the trace of one run. */
export class Trace {
  #high: number;
  #low: number;
  readonly #sink: TraceSink | undefined;

  /**
   * `header` is everything that decided the run, and `versions` of what it ran on; both are the first line. Only the header
   * is part of the hash: the same run on another runtime is the same.
   */
  constructor(
    header: Readonly<Record<string, unknown>>,
    sink: TraceSink | undefined,
    versions: Readonly<Record<string, unknown>> = {},
  ) {
    this.#high = hashText(JSON.stringify(header));
    this.#low = mix32(this.#high);
    this.#sink = sink;
    sink?.(`${JSON.stringify({ ...versions, ...header })}\n`);
  }

  /** The rolling hash, 16 hexadecimal digits. */
  get digest(): string {
    return hex(this.#high) + hex(this.#low);
  }

  /** Whether somebody takes the lines; whoever adds many need not make them otherwise. */
  get wantsLines(): boolean {
    return this.#sink !== undefined;
  }

  /** Adds one line. */
  record(atUs: number, host: string, flow: string, event: string, length = 0, hash = 0): void {
    this.add(atUs, hashText(host), hashText(flow), hashText(event), length, hash);
    this.line(atUs, host, flow, event, length, hash);
  }

  /** Adds to the rolling hash what a line says, as numbers. */
  add(atUs: number, host: number, flow: number, event: number, length: number, hash: number): void {
    const place = Math.imul(Math.imul(this.#high ^ host, PRIME) ^ flow, PRIME);
    const high = mix32(Math.imul(place ^ event, PRIME) ^ (atUs >>> 0)) ^ Math.floor(atUs / 0x1_0000_0000);
    this.#high = Math.imul(high ^ length, 0x9e3779b1) >>> 0;
    this.#low = mix32((this.#low ^ this.#high) + hash);
  }

  /** Writes the line that was added last, if somebody takes it. */
  line(atUs: number, host: string, flow: string, event: string, length: number, hash: number): void {
    if (this.#sink === undefined) return;
    const record: TraceRecord = { t: atUs, host, flow, event, length, hash: hex(hash), digest: this.digest };
    this.#sink(`${JSON.stringify(record)}\n`);
  }
}

function hex(value: number): string {
  return (value >>> 0).toString(16).padStart(8, "0");
}

/** What happened to a packet. */
type PacketVerb = "send" | "receive" | "lost";

/** Numbers for the hash. */
const VERBS: Readonly<Record<PacketVerb, number>> = { send: 1, receive: 2, lost: 3 };
const KINDS: Readonly<Record<Packet["kind"], number>> = { tcp: 4, udp: 8, refusal: 12 };

/** A host, as the trace names it. */
export interface TracedHost {
  readonly name: string;
  /** Of the name. */
  readonly nameHash: number;
}

/** Adds one line about a packet; `why` stands in brackets behind it. */
export function tracePacket(
  trace: Trace,
  atUs: number,
  host: TracedHost,
  verb: PacketVerb,
  packet: Packet,
  length: number,
  hash: number,
  why = "",
): void {
  const { route } = packet;
  let event = VERBS[verb] + KINDS[packet.kind];
  if (packet.kind === "tcp") event = segmentNumber(packet.segment, event);
  else if (packet.kind === "refusal") event = hashText(packet.failure, event);
  if (why !== "") event = hashText(why, event);
  trace.add(atUs, host.nameHash, route.hash, event, length, hash);
  if (!trace.wantsLines) return;
  const text = `${verb} ${eventOf(packet)}${why === "" ? "" : ` (${why})`}`;
  trace.line(atUs, host.name, route.text, text, length, hash);
}

function segmentNumber({ seq, ack = -1, syn, fin, rst }: Segment, start: number): number {
  const flags = (syn ? 16 : 0) + (fin ? 32 : 0) + (rst ? 64 : 0);
  return mix32(Math.imul((start + flags) ^ seq, PRIME) ^ ack);
}

function eventOf(packet: Packet): string {
  if (packet.kind === "tcp") return `${flagsOf(packet.segment)} ${packet.segment.seq}/${packet.segment.ack ?? ""}`;
  return packet.kind === "udp" ? "datagram" : packet.failure;
}

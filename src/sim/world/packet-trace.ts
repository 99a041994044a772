/** What becomes of packets, for the trace: as numbers always, as text only where somebody takes lines. */

import { hashText, mix32 } from "../../core/faults/hash.ts";
import type { Packet } from "../kernel/packet.ts";
import { flagsOf, type Segment } from "../kernel/segment.ts";
import type { Trace } from "./trace.ts";

/** What happened to a packet. */
export type PacketVerb = "send" | "receive" | "lost";

/** Numbers for the hash. */
const VERBS: Readonly<Record<PacketVerb, number>> = { send: 1, receive: 2, lost: 3 };
const KINDS: Readonly<Record<Packet["kind"], number>> = { tcp: 4, udp: 8, refusal: 12 };
const PRIME = 0x01000193;

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

/** Captures what passes through proxies: packets as their senders would have put them on the wire. */

import { ipPacket } from "../core/capture/ip-packet.ts";
import { enhancedPacket, interfaceDescription, sectionHeader } from "../core/capture/pcapng.ts";
import { type ConversationSide, TcpConversation, type WritePacket } from "../core/capture/tcp-conversation.ts";
import { PACKAGE_VERSION } from "../core/version.ts";
import { chunkComment, datagramComment, endComment } from "./capture-comment.ts";
import { type CaptureEnds, endsOf } from "./capture-endpoints.ts";
import type { Direction } from "./fault.ts";
import { MICROSECONDS } from "./microseconds.ts";
import type { FaultProxy, WriteCapture } from "./public.ts";
import { type DatagramEvent, keyOf, type OpenEvent, type ProxyEvent } from "./watch.ts";

/** What is captured of one connection, or of the datagrams of one client. */
interface Captured {
  readonly ends: CaptureEnds;
  readonly write: WritePacket;
  /** Undefined for datagrams. */
  readonly conversation: TcpConversation | undefined;
  /** What the next datagram says besides: who stands where. */
  comment: string | undefined;
}

/** Writes a pcapng file while proxies run: one interface for each proxy. */
export class PacketWriter {
  readonly #write: WriteCapture;
  /** What is added to the time of an event, in milliseconds. */
  readonly #shiftMs: number;
  readonly #interfaces = new Map<string, number>();
  readonly #captured = new Map<string, Captured>();

  constructor(write: WriteCapture, shiftMs: number) {
    this.#write = write;
    this.#shiftMs = shiftMs;
    write(sectionHeader(`zocalo ${PACKAGE_VERSION}`), "head");
  }

  /** A connection that was there before. */
  known({ name: proxy, upstream }: FaultProxy, number: number, client: OpenEvent["client"], atMs: number): void {
    this.#open({ type: "open", proxy, number, atMs, client, upstream }, "open before the capture");
  }

  told(event: ProxyEvent): void {
    if (event.type === "fault") return;
    if (event.type === "open") return this.#open(event, undefined);
    const key = keyOf(event);
    const captured = this.#captured.get(key);
    if (captured === undefined) return;
    const { conversation } = captured;
    const atUs = this.#usOf(event.atMs);
    switch (event.type) {
      case "chunk":
        conversation?.data(senderOf(event.direction), atUs, event.bytes, chunkComment(event));
        break;
      case "datagram":
        datagram(captured, atUs, event);
        break;
      case "end":
        conversation?.end(senderOf(event.direction), atUs, endComment(event));
        break;
      case "release":
        // A packet stands where its sender has put it on the wire, not where it leaves.
        break;
      case "reset":
        conversation?.reset("server", atUs, event.fault === undefined ? undefined : `${event.fault}: both are reset`);
        break;
      case "close":
        // Ends that no program has sent are those of the proxy.
        for (const side of ["client", "server"] as const) conversation?.end(side, atUs, "closed by the proxy");
        this.#captured.delete(key);
        break;
    }
  }

  #open(event: OpenEvent, note: string | undefined): void {
    const { client, upstream, number, atMs, proxy } = event;
    const ends = endsOf(client, upstream, number);
    const id = this.#interfaceOf(proxy);
    const write: WritePacket = (atUs, packet, comment) =>
      this.#write(enhancedPacket(id, atUs, packet, comment), "packet");
    const conversation =
      upstream.transport === "udp" ? undefined : new TcpConversation(ends.client, ends.server, write);
    const comment = [note, ends.comment].filter((text) => text !== undefined).join("; ") || undefined;
    this.#captured.set(keyOf(event), { ends, write, conversation, comment });
    conversation?.open(this.#usOf(atMs), comment);
  }

  #interfaceOf(proxy: string): number {
    let id = this.#interfaces.get(proxy);
    if (id === undefined) {
      id = this.#interfaces.size;
      this.#interfaces.set(proxy, id);
      this.#write(interfaceDescription(proxy), "head");
    }
    return id;
  }

  #usOf(atMs: number): number {
    return Math.round((atMs + this.#shiftMs) * MICROSECONDS);
  }
}

function datagram(captured: Captured, atUs: number, event: DatagramEvent): void {
  const { client, server } = captured.ends;
  const route = event.direction === "toServer" ? { from: client, to: server } : { from: server, to: client };
  const comment = [captured.comment, datagramComment(event)].filter((text) => text !== undefined).join("; ");
  captured.comment = undefined;
  const { buffer, byteOffset, byteLength } = event.bytes;
  const data = Buffer.from(buffer, byteOffset, byteLength);
  captured.write(atUs, ipPacket({ kind: "udp", route, data }), comment === "" ? undefined : comment);
}

function senderOf(direction: Direction): ConversationSide {
  return direction === "toServer" ? "client" : "server";
}

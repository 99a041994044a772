/** A TCP connection of which only the bytes are known, as the packets that would have carried them. */

import { type Endpoint, type IpSegment, ipPacket } from "./ip-packet.ts";

/** Who sends. The client has opened the connection. */
export type ConversationSide = "client" | "server";

/** Takes a packet at a moment in microseconds. */
export type WritePacket = (atUs: number, packet: Buffer, comment: string | undefined) => void;

/** Most bytes in one packet: with its headers it fits into the 16 bits of an IP length. */
const LARGEST_PAYLOAD_BYTES = 32_768;
/** What the loopback interface announces. */
const MSS_BYTES = 65_495;
/** The window is never full: the other side acknowledges when so much is under way. */
const WINDOW_BYTES = 4_194_304;
const ACK_EVERY_BYTES = 65_536;
const NO_DATA: Buffer = Buffer.alloc(0);
/** Where both count from (RFC 9293 section 3.4.1 wants them unguessable; here they are easy to read). */
const FIRST_SEQ = 1000;

/** One side, and how far it is. */
interface Half {
  readonly from: Endpoint;
  readonly to: Endpoint;
  /** The number of its next byte. */
  seq: number;
  /** Up to where the other side has acknowledged its bytes. */
  acked: number;
  ended: boolean;
}

/**
 * Writes handshake, segments, acknowledgements, FIN and RST with numbers that fit each other, so that readers of captures can
 * follow the stream. Times must not go back.
 */
export class TcpConversation {
  readonly #halves: Readonly<Record<ConversationSide, Half>>;
  readonly #write: WritePacket;
  #reset = false;

  constructor(client: Endpoint, server: Endpoint, write: WritePacket) {
    const half = (from: Endpoint, to: Endpoint): Half => ({ from, to, seq: FIRST_SEQ, acked: FIRST_SEQ, ended: false });
    this.#halves = { client: half(client, server), server: half(server, client) };
    this.#write = write;
  }

  /** The handshake. */
  open(atUs: number, comment?: string): void {
    this.#send("client", atUs, { syn: true, ack: undefined }, comment);
    this.#send("server", atUs, { syn: true });
    this.#send("client", atUs, {});
  }

  /** The server refuses the connection. */
  refuse(atUs: number, comment?: string): void {
    this.#send("client", atUs, { syn: true, ack: undefined });
    this.#send("server", atUs, { rst: true }, comment);
    this.#reset = true;
  }

  /** Bytes, in as many segments as they need; the comment stands at the first. */
  data(side: ConversationSide, atUs: number, bytes: Uint8Array, comment?: string): void {
    const half = this.#halves[side];
    for (let at = 0; at < bytes.length; at += LARGEST_PAYLOAD_BYTES) {
      const piece = bytes.subarray(at, at + LARGEST_PAYLOAD_BYTES);
      const data = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
      this.#send(side, atUs, { data }, at === 0 ? comment : undefined);
      if (half.seq - half.acked >= ACK_EVERY_BYTES) this.#acknowledge(side, atUs);
    }
  }

  /** The end of one direction: FIN. */
  end(side: ConversationSide, atUs: number, comment?: string): void {
    const half = this.#halves[side];
    if (half.ended || this.#reset) return;
    this.#send(side, atUs, { fin: true }, comment);
    half.ended = true;
    this.#acknowledge(side, atUs);
  }

  /** The end of everything: RST. */
  reset(side: ConversationSide, atUs: number, comment?: string): void {
    if (this.#reset) return;
    this.#send(side, atUs, { rst: true }, comment);
    this.#reset = true;
  }

  /** The other side acknowledges what `side` has sent. */
  #acknowledge(side: ConversationSide, atUs: number): void {
    this.#send(side === "client" ? "server" : "client", atUs, {});
  }

  #send(side: ConversationSide, atUs: number, fields: Partial<IpSegment>, comment?: string): void {
    const half = this.#halves[side];
    const other = this.#halves[side === "client" ? "server" : "client"];
    const { syn = false, fin = false, rst = false, data = NO_DATA } = fields;
    const ack = "ack" in fields ? fields.ack : other.seq;
    // The window of a SYN is not scaled (RFC 7323 section 2.2).
    const window = syn ? MSS_BYTES : WINDOW_BYTES;
    const segment = { seq: half.seq, ack, syn, fin, rst, window, data, sacks: [], mss: MSS_BYTES };
    this.#write(atUs, ipPacket({ kind: "tcp", route: half, segment }), comment);
    half.seq += data.length + (syn || fin ? 1 : 0);
    if (ack !== undefined) other.acked = ack;
  }
}

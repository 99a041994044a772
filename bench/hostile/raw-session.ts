/** Sessions by hand, codec `json`: whatever a client can say, and what it must not. */

import type net from "node:net";
import { DEFAULT_LIMITS } from "../../src/core/handshake/limits.ts";
import { type Done, dial, type Place } from "./attack.ts";

const MAGIC: Buffer = Buffer.from("ZOCALO\0\u0001", "latin1");
/** Types of frames; see docs/wire-protocol.md. */
const [HELLO, ACK, CREDIT, PING, PONG, EVENT, CALL, CANCEL, OPEN, ITEM, END] = [
  0x01, 0x10, 0x11, 0x12, 0x13, 0x40, 0x41, 0x44, 0x45, 0x46, 0x47,
] as const;

function frame(type: number, ...fields: readonly Uint8Array[]): Buffer {
  const payload = Buffer.concat(fields);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(payload.length + 1);
  head[4] = type;
  return Buffer.concat([head, payload]);
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function u64(value: number): Buffer {
  return Buffer.concat([u32(Math.floor(value / 2 ** 32)), u32(value % 2 ** 32)]);
}

const NO_DEADLINE = 0xffff_ffff;

/** The frames. */
export const frames = {
  ack: (number: number): Buffer => frame(ACK, u64(number)),
  credit: (stream: number, total: number): Buffer => frame(CREDIT, u32(stream), u64(total)),
  ping: (): Buffer => frame(PING, Buffer.alloc(8)),
  event: (method: number, body: Uint8Array): Buffer => frame(EVENT, u16(method), body),
  call: (id: number, method: number, body: Uint8Array): Buffer =>
    frame(CALL, u32(id), u16(method), u32(NO_DEADLINE), body),
  cancel: (id: number): Buffer => frame(CANCEL, u32(id)),
  /** Directions: 1 for items of the client, 2 for those of the server. */
  open: (id: number, method: number, directions: number): Buffer =>
    frame(OPEN, u32(id), u16(method), Buffer.from([directions])),
  item: (id: number, body: Uint8Array): Buffer => frame(ITEM, u32(id), body),
  end: (id: number): Buffer => frame(END, u32(id)),
};

/** What the clients of these attacks say they receive. They are never asked for a sign of life. */
export const USUAL_LIMITS: object = { ...DEFAULT_LIMITS, heartbeatMs: 86_400_000 };

/** A hello; `fields` replace the usual ones. */
export function hello(fields: object = {}): Buffer {
  const usual = {
    contract: "target",
    version: "1.0.0",
    accepts: { from: "1.0.0", below: "2.0.0" },
    offers: ["tick"],
    codecs: ["json"],
    features: [],
    limits: USUAL_LIMITS,
  };
  return Buffer.concat([MAGIC, frame(HELLO, Buffer.from(JSON.stringify({ ...usual, ...fields })))]);
}

/** What a raw client has heard: enough to keep the rules where it wants to. */
export interface Heard {
  /** Bytes that it may have sent in the lane. */
  credit: number;
  /** Numbered messages that came. */
  messages: number;
  /** The welcome or the refusal; undefined until it has come. */
  answer: Record<string, unknown> | undefined;
}

const heardBy = new WeakMap<net.Socket, Heard>();

/** What this connection has heard. */
export function heard(socket: net.Socket): Heard {
  return heardBy.get(socket) as Heard;
}

/** Opens a session; resolves when the server has answered, or has ended the connection. It answers every PING. */
export async function openRaw(place: Place, done: Done, fields: object = {}): Promise<net.Socket> {
  const socket = await dial(place, done);
  const told: Heard = { credit: DEFAULT_LIMITS.windowBytes, messages: 0, answer: undefined };
  heardBy.set(socket, told);
  let rest: Buffer = Buffer.alloc(0);
  let skipped = false;
  await new Promise<void>((resolve) => {
    socket.on("close", () => resolve());
    socket.on("data", (bytes) => {
      rest = Buffer.concat([rest, bytes]);
      if (!skipped) {
        if (rest.length < MAGIC.length) return;
        rest = rest.subarray(MAGIC.length);
        skipped = true;
      }
      let at = 0;
      for (; at + 4 <= rest.length; at += 4 + rest.readUInt32BE(at)) {
        const end = at + 4 + rest.readUInt32BE(at);
        if (end > rest.length) break;
        take(socket, told, rest.subarray(at + 4, end));
        if (told.answer !== undefined) resolve();
      }
      rest = rest.subarray(at);
    });
    socket.write(hello(fields));
  });
  return socket;
}

function take(socket: net.Socket, told: Heard, received: Buffer): void {
  const type = received[0] as number;
  if (told.answer === undefined) told.answer = JSON.parse(String(received.subarray(1))) as Record<string, unknown>;
  else if (type === PING) socket.write(frame(PONG, received.subarray(1)));
  else if (type === CREDIT && received.readUInt32BE(1) === 0) told.credit = Number(received.readBigUInt64BE(5));
  else if ((type & 0x40) !== 0) told.messages += 1;
}

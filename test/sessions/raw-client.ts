/** A client that does what a test wants, also what no client should: frames by hand, codec `json`. */

import net from "node:net";
import { once } from "node:events";
import type { Duplex } from "node:stream";
import { DEFAULT_LIMITS } from "../../src/core/handshake/limits.ts";
import { atEnd } from "./opened.ts";

const MAGIC = Buffer.from("ZOCALO\0\u0001", "latin1");

/** One frame that the server sent. */
export interface Frame {
  readonly type: number;
  readonly payload: Buffer;
}

/** One connection. */
export class RawClient<Socket extends Duplex = net.Socket> {
  readonly socket: Socket;
  /** What came and was not read. */
  #bytes: Buffer = Buffer.alloc(0);
  #waiting: (() => void) | undefined;
  /** The server has ended the connection: with FIN, or with a reset. */
  ended: "fin" | "reset" | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (bytes) => {
      this.#bytes = Buffer.concat([this.#bytes, bytes]);
      this.#waiting?.();
    });
    socket.on("end", () => this.#over("fin"));
    socket.on("error", () => this.#over("reset"));
  }

  static async to(port: number): Promise<RawClient> {
    const socket = net.connect(port, "127.0.0.1");
    await once(socket, "connect");
    const client = new RawClient(socket);
    atEnd(() => client.close());
    return client;
  }

  /** Introduces itself to a contract; answers the welcome or the refusal. */
  async hello(contract: string, fields: object = {}): Promise<Record<string, unknown>> {
    const hello = {
      contract,
      version: "1.0.0",
      accepts: { from: "1.0.0", below: "2.0.0" },
      offers: [],
      codecs: ["json"],
      features: [],
      limits: DEFAULT_LIMITS,
      ...fields,
    };
    this.socket.write(MAGIC);
    this.send(1, Buffer.from(JSON.stringify(hello)));
    await this.#read(MAGIC.length);
    const { payload } = await this.frame();
    return JSON.parse(String(payload)) as Record<string, unknown>;
  }

  /** Takes a client in, as a server does: for tests of clients. */
  async welcome(fields: object): Promise<void> {
    await this.#read(MAGIC.length);
    await this.frame();
    const welcome = {
      version: "1.0.0",
      offers: [],
      codec: "json",
      features: [],
      limits: DEFAULT_LIMITS,
      session: "s1",
      token: "t1",
      server: "i1",
      epoch: 1,
      keptMs: 60_000,
      ...fields,
    };
    this.socket.write(MAGIC);
    this.send(2, Buffer.from(JSON.stringify(welcome)));
  }

  send(type: number, payload: Uint8Array): void {
    const head = Buffer.alloc(5);
    head.writeUInt32BE(payload.length + 1);
    head[4] = type;
    this.socket.write(Buffer.concat([head, payload]));
  }

  /** The next frame. Rejects when the server has ended. */
  async frame(): Promise<Frame> {
    const length = (await this.#read(4)).readUInt32BE();
    const frame = await this.#read(length);
    return { type: frame[0] as number, payload: frame.subarray(1) };
  }

  /** The next frame of a type; the others are skipped. */
  async frameOf(type: number): Promise<Frame> {
    for (;;) {
      const frame = await this.frame();
      if (frame.type === type) return frame;
    }
  }

  /** Resolves when the server has ended the connection. */
  async untilEnd(): Promise<"fin" | "reset"> {
    while (this.ended === undefined) await this.#change();
    return this.ended;
  }

  close(): void {
    this.socket.destroy();
  }

  async #read(count: number): Promise<Buffer> {
    while (this.#bytes.length < count) {
      if (this.ended !== undefined) throw new Error(`the server ended with ${this.ended}`);
      await this.#change();
    }
    const head = this.#bytes.subarray(0, count);
    this.#bytes = this.#bytes.subarray(count);
    return head;
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  #over(how: "fin" | "reset"): void {
    this.ended ??= how;
    this.#waiting?.();
  }
}

/** An acknowledgement. */
export function ack(number: number): Buffer {
  const payload = Buffer.alloc(8);
  payload.writeUInt32BE(number, 4);
  return payload;
}

/** The payload of an event, type 0x40. */
export function eventFrame(method: number, value: unknown): Buffer {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(method);
  return Buffer.concat([head, Buffer.from(JSON.stringify(value))]);
}

/** The payload of a call, type 0x41. Default: no deadline. */
export function callFrame(id: number, method: number, value?: unknown, timeoutMs = 0xffff_ffff): Buffer {
  const head = Buffer.alloc(10);
  head.writeUInt32BE(id);
  head.writeUInt16BE(method, 4);
  head.writeUInt32BE(timeoutMs, 6);
  return Buffer.concat([head, Buffer.from(value === undefined ? "" : JSON.stringify(value))]);
}

/** The payload that opens a stream, type 0x45. Directions: 1 for items of the client, 2 for those of the server, 3 for both. */
export function openFrame(id: number, method: number, directions: 1 | 2 | 3, value?: unknown): Buffer {
  const head = Buffer.alloc(7);
  head.writeUInt32BE(id);
  head.writeUInt16BE(method, 4);
  head[6] = directions;
  return Buffer.concat([head, Buffer.from(value === undefined ? "" : JSON.stringify(value))]);
}

/** The payload of a cancel or an end, types 0x44 and 0x47. */
export function idFrame(id: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(id);
  return payload;
}

/** The payload of an item, type 0x46. */
export function itemFrame(id: number, value: unknown): Buffer {
  return Buffer.concat([idFrame(id), Buffer.from(JSON.stringify(value))]);
}

/** What few programs need of a connection: settings of TCP, the object beneath, Web Streams (WHATWG Streams), a Node stream. */

import { Duplex } from "node:stream";
import { ReadableStream, WritableStream } from "node:stream/web";
import type { StreamTransport } from "../network/network.ts";
import type { OwnClock } from "../operation/own-clock.ts";
import { checkOptions, FLAG } from "../../core/options/check-options.ts";
import type { StreamPartOwner } from "./owner.ts";
import type * as api from "./public.ts";
import { KEEP_ALIVE_RULES } from "./settings.ts";
import type { StreamSocket, WriteInput } from "./public.ts";

/** The one implementation of {@link api.TcpSettings}. */
export class TcpSettings implements api.TcpSettings {
  readonly #socket: StreamPartOwner;

  constructor(socket: StreamPartOwner) {
    this.#socket = socket;
  }

  // They may be taken off, as the members of every `interop`.
  readonly setNoDelay = (on: boolean): void => {
    checkOptions(this.#socket.context("setNoDelay"), { on }, { on: { ...FLAG, required: true } });
    this.#socket.transport.setNoDelay(on);
  };
  readonly setKeepAlive = (on: boolean, idleMs = 0): void => {
    checkOptions(this.#socket.context("setKeepAlive"), { on, idleMs }, KEEP_ALIVE_RULES);
    // The system counts in seconds.
    this.#socket.transport.setKeepAlive(on, Math.ceil(idleMs / 1000) * 1000);
  };
}

/** A connection, as its {@link StreamInterop} sees it. */
interface InteropHost extends StreamSocket {
  readonly clock: OwnClock;
  readonly transport: StreamTransport;
}

/** The one implementation of {@link api.StreamInterop}. */
export class StreamInterop implements api.StreamInterop {
  readonly #socket: InteropHost;
  #readable: ReadableStream<Uint8Array> | undefined;
  #writable: WritableStream<WriteInput> | undefined;

  constructor(socket: InteropHost) {
    this.#socket = socket;
  }

  get native(): unknown {
    return this.#socket.transport.native;
  }
  readonly ref = (): void => this.#refer(true);
  readonly unref = (): void => this.#refer(false);
  #refer(referenced: boolean): void {
    this.#socket.clock.setReferenced(referenced);
    this.#socket.transport.setReferenced(referenced);
  }
  get readable(): ReadableStream<Uint8Array> {
    return (this.#readable ??= toReadableStream(this.#socket));
  }
  get writable(): WritableStream<WriteInput> {
    return (this.#writable ??= toWritableStream(this.#socket));
  }
  readonly toNodeStream = (): Duplex => toNodeStream(this.#socket);
}

/** The receiving side. Nothing is read before somebody asks; cancelling aborts the connection. */
function toReadableStream(socket: StreamSocket): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const bytes = await socket.read();
        if (bytes === null) controller.close();
        // A consumer may transfer the buffer of what it gets, so it must not share one with others.
        else controller.enqueue(new Uint8Array(bytes));
      },
      cancel(reason) {
        socket.abort(reason);
      },
    },
    { highWaterMark: 0 },
  );
}

/**
 * The sending side. Closing it half-closes the connection; aborting it aborts the connection. It fails as soon as the
 * connection is lost or closed, so that a pipe into it ends although nothing comes to be sent.
 */
function toWritableStream(socket: StreamSocket): WritableStream<WriteInput> {
  return new WritableStream<WriteInput>({
    start(controller) {
      // Not awaited: the stream may be used at once.
      void socket.closed.then(({ how }) => {
        if (how !== "ended") controller.error(socket.signal.reason);
      });
    },
    async write(chunk) {
      await socket.write(chunk);
    },
    async close() {
      await socket.end();
    },
    abort(reason) {
      socket.abort(reason);
    },
  });
}

/**
 * A Duplex over a connection. Destroying it with an error aborts the connection, without one closes it; both sides end
 * apart (`allowHalfOpen`).
 */
function toNodeStream(socket: StreamSocket): Duplex {
  return new Duplex({
    allowHalfOpen: true,
    // Texts as they are, so that those which have no UTF-8 are refused as in `write`.
    decodeStrings: false,
    read(): void {
      socket.read().then(
        (bytes) => this.push(bytes),
        (error: Error) => this.destroy(error),
      );
    },
    write(chunk: Buffer | string, encoding, callback): void {
      socket.write(inputOf(chunk, encoding)).then(() => callback(), callback);
    },
    writev(entries, callback): void {
      const chunks = entries.map(({ chunk, encoding }) => inputOf(chunk as Buffer | string, encoding));
      socket.write(chunks).then(() => callback(), callback);
    },
    final(callback): void {
      socket.end().then(() => callback(), callback);
    },
    destroy(error, callback): void {
      if (error !== null) socket.abort(error);
      void socket.close().then(
        () => callback(error),
        () => callback(error),
      );
    },
  });
}

function inputOf(chunk: Buffer | string, encoding: BufferEncoding): Buffer | string {
  return typeof chunk !== "string" || /^utf-?8$/i.test(encoding) ? chunk : Buffer.from(chunk, encoding);
}

/** The public contract of messages over a connection. */

import type { Codec, OnFrame } from "../../core/framing/codec.ts";
import type { OperationOptions, ReceiveOptions } from "../operation/deadline.ts";
import type { CloseOptions, StreamEnd } from "./end.ts";

/**
 * Messages over a connection. TCP keeps bytes in order but not the boundaries between messages; a codec of
 * `zocalo/framing` puts them back.
 *
 * **Sending.** Messages of one turn of the event loop leave in one write: when the turn ends, or as soon as 64 KiB are
 * gathered. A message alone in its turn leaves at the end of that turn; no timer delays it. `send` resolves when the
 * message is in the batch (it was copied) or, from 16 KiB on, when the kernel has it. When more than 64 KiB wait for the
 * kernel, it waits: that is the backpressure.
 *
 * **Receiving.** One way at a time: `receive`, `messages` (`for await`), `batches` or `onMessages`, each with
 * `{ timeoutMs, signal, until }`; while this object exists, reading
 * from the connection itself rejects with `READER_TAKEN`. Nothing is decoded before somebody asks, so a slow program slows
 * its peer.
 *
 * A peer that breaks the framing gives a `ProtocolError` (`FRAME_TOO_LONG`, `FRAME_INVALID`, `FRAME_TRUNCATED`) to the
 * call that receives, after the messages that came before. The connection is then of no use; close or abort it.
 *
 * Closing and losing the connection are those of the connection: `close` and `end` send first what was gathered and what
 * waits for room.
 *
 * @example
 * ```ts
 * import { connect, serve } from "zocalo";
 * import { lines } from "zocalo/framing";
 * await using listener = await serve("tcp://127.0.0.1:0", async (peer) => {
 *   const text = peer.framed(lines());
 *   for await (const line of text) await text.send(line.toUpperCase());
 * });
 * await using call = await connect(listener.localAddress);
 * const text = call.framed(lines());
 * await text.send("hola");
 * console.log(await text.receive()); // HOLA
 * ```
 */
export interface FramedStreamOver<In, Out, Socket> extends AsyncDisposable, AsyncIterable<Out> {
  /** The connection beneath. */
  readonly socket: Socket;
  /** What says where a message begins and ends, and what it means. */
  readonly codec: Codec<In, Out>;
  /** Resolves when the connection is over. Never rejects. */
  readonly closed: Promise<StreamEnd>;
  /** Aborts when the connection is over. */
  readonly signal: AbortSignal;
  /** Bytes that were gathered or handed over and that the kernel has not taken yet. */
  readonly unsentBytes: number;
  /** Memory of the sends that were not awaited and wait for room, in bytes: the messages, and what waits for each. */
  readonly heldBytes: number;

  /**
   * Sends one message. Rejects with `FRAME_TOO_LONG` or `FRAME_INVALID` (side `local`) when the codec has no form for it,
   * with `QUEUE_FULL` when too many sends that were not awaited wait (65,536 messages, or `limits.maxWriteQueueBytes` of memory
   * that they pin), with `CLOSED` after `close`. A cancelled send that still waits is removed (`outcome: "none"`); one that has
   * begun is sent (`outcome: "all"`).
   */
  send(message: In, options?: OperationOptions): Promise<void>;
  /**
   * Sends messages in order, in as few writes as possible; waits where `send` would. An iterable is asked for the next
   * message only when there is room for it, so it need not end. Rejects as `send` does, and with what the iterable throws;
   * the messages before were sent, those behind are not. `timeoutMs` counts for the whole call; when it or the signal ends
   * the call, some may have been sent (`outcome: "unknown"`).
   */
  sendMany(messages: Iterable<In>, options?: OperationOptions): Promise<void>;
  /** Hands over what was gathered now; resolves when the kernel has everything sent before. */
  flush(options?: OperationOptions): Promise<void>;

  /**
   * The next message, which belongs to the caller; null when the peer has ended, or `until` aborts. A cancelled call consumes
   * nothing.
   */
  receive(options?: ReceiveOptions): Promise<Out | null>;
  /**
   * Iterates over `receive(options)`: `timeoutMs` is for each message. `break`, an error and `until` neither close the
   * connection nor lose messages: another loop goes on where this one stopped. The first step rejects with `OPTION_INVALID`.
   *
   * @example
   * ```ts
   * import { serve } from "zocalo";
   * import { lines } from "zocalo/framing";
   * await using server = await serve("tcp://127.0.0.1:0", async (peer) => {
   *   const text = peer.framed(lines());
   *   for await (const line of text.messages({ timeoutMs: 30_000, until: peer.draining })) await text.send(line);
   *   await text.send("goodbye");
   * });
   * ```
   */
  messages(options?: ReceiveOptions): AsyncIterableIterator<Out>;
  /** As `messages()`. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Out>;
  /**
   * Iterates over the messages of each arrival together, at most 256 at a time: much faster than one by one. Messages that
   * are bytes, or hold views of them, are valid until the next call that receives, or `detach`. Leaving the loop loses only
   * what is left of the present batch: any way of receiving goes on behind it. `timeoutMs` is for each batch.
   */
  batches(options?: ReceiveOptions): AsyncIterableIterator<readonly Out[]>;
  /**
   * Calls `handler` for each message as it is decoded, without a Promise: the fastest way. Messages that are bytes are views,
   * valid until the handler returns, also when it returns a promise. Of a promise it waits for the end before it delivers the next
   * message, so a handler that returns that of its `send` reads no faster than its peer takes the answers. Resolves when the peer
   * has ended; rejects when the connection or the framing breaks, or when the handler throws or its promise rejects (with its
   * error; nothing more is then delivered, and every later call that receives rejects with it). A handler may send, pause, detach,
   * close and abort; after the last three it is not called again.
   *
   * It resolves, too, when `until` aborts, and rejects with `TIMEOUT` when no whole message came for `timeoutMs`, in which
   * neither `pause` nor a promise of the handler counts; the rest is there for whoever receives next. Nobody has to await it: its rejection is never an
   * unhandled one, but for a mistake of the call (`OPTION_INVALID`, `READER_TAKEN`). What the handler throws, and bytes that
   * hold no message, go to the channel `zocalo:error` too.
   *
   * @example
   * ```ts
   * import { pair } from "zocalo";
   * import { lines } from "zocalo/framing";
   * const [here, there] = pair();
   * const enough = new AbortController();
   * const text = here.framed(lines());
   * await there.write("uno\ndos\n");
   * await text.onMessages(() => enough.abort(), { until: enough.signal });
   * console.log(await text.receive()); // dos
   * await Promise.all([here.close(), there.close()]);
   * ```
   */
  onMessages(handler: (message: Out) => unknown, options?: ReceiveOptions): Promise<void>;
  /** Like `onMessages`, with the bytes of each message in place: `bytes[start, end)`, not decoded, no object made. */
  onFrames(handler: OnFrame, options?: ReceiveOptions): Promise<void>;
  /**
   * Stops the delivery to `onMessages` and `onFrames` until `resume`; takes effect after the present message. While it is
   * stopped the end of the stream is not told either. Where nothing is delivered to a handler, it does nothing.
   */
  pause(): void;
  /** Delivers again after `pause`. */
  resume(): void;
  /** Changes the connection's `timeouts.idleMs`; see `StreamSocket.setIdleTimeout`. */
  setIdleTimeout(idleMs: number): void;

  /**
   * Gives the connection back for reading bytes, with those that were not decoded put back in front, as STARTTLS, HTTP's
   * Upgrade and CONNECT need it. Pending calls that receive reject with `CLOSED`; messages that were sent, or wait for room,
   * leave before whatever is written next. Nothing is decoded ahead, so nothing else is lost; only bytes of a wrong message
   * that a codec has begun to skip do not come back.
   */
  detach(): Socket;
  /** Sends what was gathered and what waits for room, then closes the connection; see `StreamSocket.close`. */
  close(options?: CloseOptions): Promise<void>;
  /** Resets the connection; what was gathered is lost. */
  abort(reason?: unknown): void;
}

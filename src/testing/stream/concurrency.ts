/** The stream suite: many callers at once. */

import assert from "node:assert/strict";
import { TimeoutError } from "../../core/errors.ts";
import type { StreamSocket } from "../../io/stream/public.ts";
import { assertErrorShape } from "../expect-error.ts";
import { patternBytes, PatternCheck, pause, type StreamChecks } from "./check.ts";

const RACERS = 10;

/** Racing readers, racing writers, and everything at once. */
export const concurrencyChecks: StreamChecks = {
  async "ten racing readers with time-outs of 1 ms and reused buffers lose nothing"(a, b) {
    const received = new PatternCheck();
    const seen = { timeouts: 0 };
    const reader = async (_: unknown, index: number): Promise<void> => {
      const target = new Uint8Array(1000 + index * 777);
      for (;;) {
        try {
          const count = await b.readInto(target, { timeoutMs: 1 });
          if (count === null) return;
          received.next(target.subarray(0, count));
        } catch (error) {
          assert.ok(error instanceof TimeoutError, String(error));
          seen.timeouts += 1;
        }
      }
    };
    const readers = Array.from({ length: RACERS }, reader);
    let sent = 0;
    for (let turn = 0; turn < 60 || seen.timeouts < RACERS; turn += 1) {
      const count = (turn * 7919) % 60_000;
      await a.write(patternBytes(sent, count));
      sent += count;
      if (turn % 4 === 0) await pause(a, 2);
    }
    await a.end();
    await Promise.all(readers);
    assert.equal(received.bytes, sent);
  },

  async "ten racing writers with time-outs of 1 ms and reused buffers: each write is all or nothing"(a, b) {
    const seen = { timeouts: 0 };
    let draining = false;
    const writer = async (_: unknown, index: number): Promise<number> => {
      const buffer = Buffer.alloc(40_000);
      let sequence = 0;
      for (let left = 20; left > 0; ) {
        try {
          await a.write(fillRecord(buffer, index, sequence), { timeoutMs: 1 });
          sequence += 1;
          if (draining) left -= 1;
        } catch (error) {
          assert.ok(error instanceof TimeoutError, String(error));
          seen.timeouts += 1;
          if (error.outcome === "all") sequence += 1;
        }
        // From here on the memory is the caller's again.
        buffer.fill(STALE);
      }
      return sequence;
    };
    const writers = Array.from({ length: RACERS }, writer);
    while (seen.timeouts < 3 * RACERS) await pause(a, 1);
    draining = true;
    const reading = readRecords(b);
    const sent = await Promise.all(writers);
    await a.end();
    assert.deepEqual(await reading, sent);
  },

  async "100 concurrent calls of every method: each one settles, and errors have their shape"(a, b) {
    const feeding = (async () => {
      for (let line = 0; line < 2000; line += 1) await b.write(`line ${line}\n`);
      await b.end();
    })();
    const drained = (async () => {
      let count = 0;
      for await (const piece of b) count += piece.length;
      return count;
    })();
    const callers = Array.from({ length: CALLERS }, (_, index) => index);
    const calls = callers.flatMap((index) => touchEverything(a, index));
    const outcomes = await Promise.allSettled(calls);
    const endings = callers.flatMap(() => [a.end(), a.close(), a.closed, a[Symbol.asyncDispose]()]);
    outcomes.push(...(await Promise.allSettled(endings)));
    for (const _ of callers) a.abort();
    for (const outcome of outcomes) if (outcome.status === "rejected") assertErrorShape(outcome.reason);
    assert.equal((await a.closed).how, "closed");
    await feeding;
    assert.equal(await drained, a.bytesSent);
  },
};

const HEADER_BYTES = 7;
const STALE = 0xee;

/** A record of one racing writer: who, which, how long; then bytes that follow from these. */
function fillRecord(buffer: Buffer, writer: number, sequence: number): Buffer {
  const payloadBytes = 500 + ((writer * 131 + sequence * 977) % (buffer.length - HEADER_BYTES - 500));
  buffer.writeUInt8(writer, 0);
  buffer.writeUInt32BE(sequence, 1);
  buffer.writeUInt16BE(payloadBytes, 5);
  buffer.fill((writer * 31 + sequence) % 200, HEADER_BYTES, HEADER_BYTES + payloadBytes);
  return buffer.subarray(0, HEADER_BYTES + payloadBytes);
}

/** Reads records until the end and answers how many came of each writer, all whole and in order. */
async function readRecords(socket: StreamSocket): Promise<readonly number[]> {
  const next = Array.from({ length: RACERS }, () => 0);
  for (;;) {
    const first = await socket.read({ maxBytes: 1 });
    if (first === null) return next;
    const header = Buffer.concat([first, await socket.readExactly(HEADER_BYTES - 1)]);
    const writer = header.readUInt8(0);
    const sequence = header.readUInt32BE(1);
    assert.equal(sequence, next[writer], `a record of writer ${writer} is lost, doubled or out of order`);
    const payload = await socket.readExactly(header.readUInt16BE(5));
    assert.ok(payload.equals(Buffer.alloc(payload.length, (writer * 31 + sequence) % 200)), "a record was changed");
    next[writer] = sequence + 1;
  }
}

const CALLERS = 100;

/** Every method and property of a stream; those that answer later as promises. */
function touchEverything(socket: StreamSocket, index: number): Promise<unknown>[] {
  const { signal } = new AbortController();
  const timeoutMs = 1 + (index % 20);
  socket.tcp.setNoDelay(index % 2 === 0);
  socket.tcp.setKeepAlive(index % 2 === 0, 60_000);
  socket.interop.unref();
  socket.interop.ref();
  socket.setIdleTimeout(Infinity);
  assert.equal(socket.signal.aborted, false);
  const { localAddress, remoteAddress, traits, tls, bytesReceived, bytesSent, interop } = socket;
  const { native, readable, writable } = interop;
  void [localAddress, remoteAddress, traits, tls, native, bytesReceived, bytesSent, readable, writable];
  return [
    socket.read({ timeoutMs }),
    socket.readInto(new Uint8Array(8), { signal, timeoutMs: 5000 }),
    socket.readExactly(3),
    socket.readUntil("\n", { timeoutMs: 5000 }),
    socket[Symbol.asyncIterator]().next(),
    socket.write("some text\n"),
    socket.write(["some", " more\n"], { timeoutMs: 5000, signal }),
    socket.startTls({ role: "client" }),
  ];
}

/** The stream suite: bytes arrive, all of them, once and in order. */

import assert from "node:assert/strict";
import { UsageError } from "../../core/errors.ts";
import type { StreamSocket, WriteInput } from "../../io/stream/public.ts";
import { expectError } from "../expect-error.ts";
import {
  fillUp,
  MOST_READ_AHEAD_BYTES,
  patternBytes,
  PatternCheck,
  pending,
  receivePattern,
  sendPattern,
  type StreamChecks,
  textToEnd,
} from "./check.ts";

const MEBIBYTE = 1_048_576;

/** Transfer of bytes, small and large. */
export const transferChecks: StreamChecks = {
  async "1 MiB in one write and then the end"(a, b) {
    const sent = a.write(patternBytes(0, MEBIBYTE)).then(() => a.end());
    assert.equal(await receivePattern(b), MEBIBYTE);
    await sent;
    assert.equal(await b.read(), null);
    assert.equal(a.bytesSent, MEBIBYTE);
    assert.equal(b.bytesReceived, MEBIBYTE);
  },

  async "64 MiB both ways at once, compared byte by byte"(a, b) {
    const total = 64 * MEBIBYTE;
    const send = (socket: StreamSocket): Promise<void> => sendPattern(socket, total, MEBIBYTE).then(() => socket.end());
    const [, , atA, atB] = await Promise.all([send(a), send(b), receivePattern(a), receivePattern(b)]);
    assert.deepEqual([atA, atB], [total, total]);
  },

  async "large pieces through readInto with one buffer"(a, b) {
    const total = 8 * MEBIBYTE;
    const sending = sendPattern(a, total, MEBIBYTE).then(() => a.end());
    const target = new Uint8Array(50_021);
    const received = new PatternCheck();
    for (let count = await b.readInto(target); count !== null; count = await b.readInto(target)) {
      received.next(target.subarray(0, count));
    }
    await sending;
    assert.equal(received.bytes, total);
  },

  async "a counter goes to and fro until it is 1,000"(a, b) {
    const play = async (socket: StreamSocket): Promise<number> => {
      for (;;) {
        const count = (await socket.readExactly(4)).readUInt32BE();
        if (count >= 1000) return count;
        const next = Buffer.alloc(4);
        next.writeUInt32BE(count + 1);
        await socket.write(next);
        if (count + 1 >= 1000) return count + 1;
      }
    };
    await a.write(Buffer.alloc(4));
    assert.deepEqual(await Promise.all([play(a), play(b)]), [1000, 1000]);
  },

  async "10,000 writes that nobody awaits arrive in the order of the calls"(a, b) {
    const sizes = Array.from({ length: 10_000 }, (_, index) => (index * 7) % 61);
    let offset = 0;
    const writes = sizes.map((size) => {
      const piece = patternBytes(offset, size);
      offset += size;
      return a.write(piece);
    });
    const ended = a.end();
    assert.equal(await receivePattern(b), offset);
    await Promise.all([...writes, ended]);
  },

  async "a write of many pieces is one stretch of bytes"(a, b) {
    const pieces = Array.from({ length: 5000 }, (_, index) => `${index},`);
    const write = a.write(pieces).then(() => a.end());
    assert.equal(await textToEnd(b), pieces.join(""));
    await write;
  },

  async "strings are sent as UTF-8, beside bytes"(a, b) {
    await a.write("¿ñandú? 日本 😀 ");
    await a.write(["á", new Uint8Array([0xc3, 0xa9]), Buffer.from("í")]);
    await a.end();
    assert.equal(await textToEnd(b), "¿ñandú? 日本 😀 áéí");
  },

  async "a write of no bytes succeeds and sends nothing"(a, b) {
    const nothing: WriteInput[] = ["", new Uint8Array(0), [], ["", new Uint8Array(0)]];
    for (const input of nothing) await a.write(input);
    await a.write("x");
    for (const input of nothing) await a.write(input, { timeoutMs: 60_000 });
    await a.end();
    assert.equal(await textToEnd(b), "x");
    assert.equal(a.bytesSent, 1);
  },

  async "what is neither text nor bytes is refused, and the stream goes on"(a, b) {
    const wrong: readonly unknown[] = [7, null, undefined, {}, [7], new ArrayBuffer(2)];
    for (const input of wrong) {
      const expected = { code: "OPTION_INVALID", op: "write", type: UsageError } as const;
      await expectError(a.write(input as string), expected);
    }
    await a.write("still");
    assert.equal(String(await b.readExactly(5)), "still");
  },

  async "the input of a write can be reused as soon as it settles"(a, b) {
    const small = Buffer.from("small");
    await a.write(small);
    small.fill("!");
    const large = Buffer.from(patternBytes(0, MEBIBYTE));
    const received = b.readExactly(5 + MEBIBYTE);
    await a.write(large);
    large.fill("!");
    const bytes = await received;
    assert.equal(bytes.toString("latin1", 0, 5), "small");
    assert.ok(bytes.subarray(5).equals(patternBytes(0, MEBIBYTE)));
  },
};

/** More than any kernel holds for a reader that never reads: receive and send buffers of tens of MiB are possible. */
const MOST_IN_FLIGHT_BYTES = 64 * 1_048_576;

/** Default `maxWriteQueueBytes`. */
const WRITE_QUEUE_BYTES = 16 * 1_048_576;

/** Writes against a peer that reads slowly or not at all. */
export const writeChecks: StreamChecks = {
  async "a reader that stops stops the writer; memory stays within the limits on both sides"(a, b) {
    const accepted = await fillUp(a);
    assert.ok(b.bytesReceived <= MOST_READ_AHEAD_BYTES, `${b.bytesReceived} bytes were read ahead`);
    assert.ok(a.bytesSent <= accepted && accepted <= MOST_IN_FLIGHT_BYTES, `${a.bytesSent} of ${accepted}`);
    const rest = a.end();
    assert.equal(await receivePattern(b), accepted);
    await rest;
    assert.equal(a.bytesSent, accepted);
  },

  async "a slow reader gets everything"(a, b) {
    const accepted = await fillUp(a);
    const sending = a.end();
    const received = new PatternCheck();
    let most = 0;
    for (let piece = await b.read({ maxBytes: 4099 }); piece !== null; piece = await b.read({ maxBytes: 40_099 })) {
      received.next(piece);
      most = Math.max(most, b.bytesReceived - received.bytes);
    }
    await sending;
    assert.equal(received.bytes, accepted);
    assert.ok(most <= MOST_READ_AHEAD_BYTES, `${most} bytes were read ahead`);
  },

  async "writes of all sizes queue in order behind a blocked one"(a, b) {
    const accepted = await fillUp(a);
    let offset = accepted;
    const writes = Array.from({ length: 200 }, (_, index) => {
      const piece = patternBytes(offset, 1 + ((index * index * 37) % 50_000));
      offset += piece.length;
      // Some with options, which are copied before they are sent.
      return a.write(piece, index % 3 === 0 ? { timeoutMs: 600_000 } : undefined);
    });
    const ended = a.end();
    assert.equal(await receivePattern(b), offset);
    await Promise.all([...writes, ended]);
  },

  async "QUEUE_FULL when more than the queue may hold waits, and nothing of it is sent"(a, b) {
    const accepted = await fillUp(a);
    const large = Buffer.alloc(WRITE_QUEUE_BYTES - 1_048_576, "q");
    const waits = pending(a.write(large));
    const expected = { code: "QUEUE_FULL", op: "write", outcome: "none", type: UsageError } as const;
    await expectError(a.write(large), expected);
    await expectError(a.write(large, { timeoutMs: 1000 }), expected);
    await b.readExactly(accepted);
    assert.equal((await b.readExactly(large.length)).indexOf("q"), 0);
    await waits;
    await a.write("later");
    assert.equal(String(await b.readExactly(5)), "later");
  },
};

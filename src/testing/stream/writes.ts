/** The stream suite: backpressure and the queue of writes. */

import assert from "node:assert/strict";
import { UsageError } from "../../core/errors.ts";
import { expectError } from "../expect-error.ts";
import { PatternCheck, patternBytes } from "./pattern.ts";
import { fillUp, MOST_READ_AHEAD_BYTES, pending, type StreamCheck } from "./check.ts";

/** More than any kernel holds for a reader that never reads: receive and send buffers of tens of MiB are possible. */
const MOST_IN_FLIGHT_BYTES = 64 * 1_048_576;

/** Default `writeQueueBytes`. */
const WRITE_QUEUE_BYTES = 16 * 1_048_576;

/** Writes against a peer that reads slowly or not at all. */
export function writeChecks(check: StreamCheck): void {
  backpressureChecks(check);
  queueChecks(check);
}

function backpressureChecks(check: StreamCheck): void {
  check("a reader that stops stops the writer; memory stays within the limits on both sides", async (a, b) => {
    const accepted = await fillUp(a);
    assert.ok(b.bytesReceived <= MOST_READ_AHEAD_BYTES, `${b.bytesReceived} bytes were read ahead`);
    assert.ok(a.bytesSent <= accepted && accepted <= MOST_IN_FLIGHT_BYTES, `${a.bytesSent} of ${accepted}`);
    const received = new PatternCheck();
    const rest = a.end();
    for await (const piece of b) received.next(piece);
    await rest;
    assert.equal(received.bytes, accepted);
    assert.equal(a.bytesSent, accepted);
  });

  check("a slow reader gets everything", async (a, b) => {
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
  });
}

function queueChecks(check: StreamCheck): void {
  check("writes of all sizes queue in order behind a blocked one", async (a, b) => {
    const accepted = await fillUp(a);
    let offset = accepted;
    const writes = Array.from({ length: 200 }, (_, index) => {
      const piece = patternBytes(offset, 1 + ((index * index * 37) % 50_000));
      offset += piece.length;
      // Some with options, which are copied before they are sent.
      return a.write(piece, index % 3 === 0 ? { timeoutMs: 600_000 } : undefined);
    });
    const ended = a.end();
    const received = new PatternCheck();
    for await (const piece of b) received.next(piece);
    await Promise.all([...writes, ended]);
    assert.equal(received.bytes, offset);
  });

  check("QUEUE_FULL when more than the queue may hold waits, and nothing of it is sent", async (a, b) => {
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
  });
}

/** The bridges to Web Streams and Node streams. */

import assert from "node:assert/strict";
import { expectError } from "../expect-error.ts";
import {
  fillUp,
  greet,
  MOST_READ_AHEAD_BYTES,
  patternBytes,
  receivePattern,
  type StreamChecks,
  textToEnd,
} from "./check.ts";

/** A connection as a Web Stream pair and as a Node stream. */
export const bridgeChecks: StreamChecks = {
  async "Web Streams carry bytes and the end, with backpressure"(a, b) {
    const writer = a.interop.writable.getWriter();
    const sending = (async () => {
      for (let sent = 0; sent < 3_000_000; sent += 100_000) await writer.write(patternBytes(sent, 100_000));
      await writer.close();
    })();
    assert.equal(await receivePattern(b.interop.readable), 3_000_000);
    await sending;
    assert.equal(a.interop.writable, a.interop.writable);
    assert.equal(b.interop.readable, b.interop.readable);
  },

  async "a readable Web Stream that nobody reads takes nothing beyond the read-ahead"(a, b) {
    assert.equal(b.interop.readable.locked, false);
    await fillUp(a);
    assert.ok(b.bytesReceived <= MOST_READ_AHEAD_BYTES);
  },

  async "cancelling the readable Web Stream aborts the connection"(_a, b) {
    const reason = new Error("not interested");
    await b.interop.readable.cancel(reason);
    const { how, error } = await b.closed;
    assert.deepEqual([how, error?.cause], ["aborted", reason]);
  },

  async "aborting the writable Web Stream aborts the connection"(a) {
    const reason = new Error("no more");
    await a.interop.writable.abort(reason);
    const { how, error } = await a.closed;
    assert.deepEqual([how, error?.cause], ["aborted", reason]);
    await expectError(a.write("x"), { code: "CONNECTION_ABORTED", op: "write" });
  },

  async "a Node stream carries bytes both ways, half-close included"(a, b) {
    const stream = b.interop.toNodeStream();
    stream.on("data", (piece: Buffer) => stream.write(String(piece).toUpperCase()));
    stream.on("end", () => stream.end());
    await a.write("hola ");
    await a.write("mundo");
    await a.end();
    assert.equal(await textToEnd(a), "HOLA MUNDO");
    assert.equal((await b.closed).how, "ended");
  },

  async "a Node stream reports the loss of the connection as its error"(a, b, traits) {
    await greet(a, b);
    const stream = b.interop.toNodeStream();
    const failed = new Promise<unknown>((resolve) => {
      stream.on("error", resolve);
      if (!traits.reset) stream.on("end", () => resolve({ code: "CONNECTION_RESET" }));
    });
    stream.resume();
    a.abort();
    assert.equal(((await failed) as { code: string }).code, "CONNECTION_RESET");
  },

  async "destroying a Node stream closes the connection, with an error aborts it"(a, b) {
    const closing = b.interop.toNodeStream().destroy();
    closing.on("error", (error) => assert.fail(error));
    assert.equal(await a.read(), null);
    await a.close();
    assert.equal((await b.closed).how, "closed");
  },

  async "destroying a Node stream with an error aborts the connection"(_a, b) {
    const stream = b.interop.toNodeStream();
    const failure = new Error("broken");
    const failed = new Promise((resolve) => void stream.on("error", resolve));
    stream.destroy(failure);
    assert.equal(await failed, failure);
    assert.deepEqual(await b.closed.then(({ how, error }) => [how, error?.cause]), ["aborted", failure]);
  },
};

/** The bridges to Web Streams and to Node streams, in the hands of the platform's own pipes. */

import assert from "node:assert/strict";
import { createServer, get, type IncomingMessage } from "node:http";
import { createInterface } from "node:readline";
import { Readable, Transform } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { CompressionStream, DecompressionStream, ReadableStream, WritableStream } from "node:stream/web";
import { describe, test } from "node:test";
import { connect, listen, pair, type StreamSocket } from "../../src/index.ts";
import { assertError, reasonOf } from "../../src/testing/expect-error.ts";
import { greet, type StreamChecks, textToEnd } from "../../src/testing/stream/check.ts";
import { testCertificates } from "../fixtures/certificates.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

const folder = temporaryFolder();
let paths = 0;

const { authority, server } = await testCertificates();

async function connected(address: string): Promise<readonly [StreamSocket, StreamSocket]> {
  const secure = address.startsWith("tls:");
  await using listener = await listen(address, secure ? { tls: server } : {});
  const calling = connect(listener.localAddress, secure ? { tls: { ca: authority.cert } } : {});
  return await Promise.all([calling, listener.accept()]);
}

const worlds: Readonly<Record<string, () => Promise<readonly [StreamSocket, StreamSocket]>>> = {
  tcp: () => connected("tcp://127.0.0.1:0"),
  tls: () => connected("tls://127.0.0.1:0"),
  ...(process.platform === "win32" ? {} : { unix: () => connected(`unix:${folder}/${(paths += 1)}.sock`) }),
  pair: () => Promise.resolve(pair()),
};

/** Web Streams, then Node streams. */
const checks: StreamChecks = {
  async "a pipe into the writable Web Stream ends when the connection is lost, though nothing comes"(a, b, traits) {
    await greet(a, b);
    let cancelled: unknown;
    const silent = new ReadableStream<Uint8Array>({
      cancel(reason) {
        cancelled = reason;
      },
    });
    const piping = reasonOf(silent.pipeTo(a.interop.writable));
    if (traits.reset) b.abort();
    else await Promise.all([a.close(), b.close()]);
    const code = traits.reset ? "CONNECTION_RESET" : "CLOSED";
    const reason = await piping;
    assertError(reason, { code });
    assert.equal(cancelled, reason);
  },

  async "an echo is one pipe"(a, b) {
    const echo = b.interop.readable.pipeTo(b.interop.writable);
    await a.write("hola ");
    await a.write("mundo");
    await a.end();
    assert.equal(await textToEnd(a), "hola mundo");
    await echo;
    assert.deepEqual([(await a.closed).how, (await b.closed).how], ["ended", "ended"]);
  },

  async "a pipe out of the connection that fails at its other end aborts the connection"(a, b) {
    const failure = new Error("the disk is full");
    const full = new WritableStream({
      write() {
        throw failure;
      },
    });
    const piping = reasonOf(b.interop.readable.pipeTo(full));
    await a.write("x");
    assert.equal(await piping, failure);
    const { how, error } = await b.closed;
    assert.deepEqual([how, error?.cause], ["aborted", failure]);
  },

  async "both branches of a tee get everything, and cancelling both aborts the connection"(a, b) {
    const [left, right] = b.interop.readable.tee();
    await a.write("hola");
    const readers = [left.getReader(), right.getReader()];
    for (const reader of readers) assert.equal(Buffer.from((await reader.read()).value ?? []).toString(), "hola");
    await Promise.all(readers.map((reader) => reader.cancel("enough")));
    assert.equal((await b.closed).how, "aborted");
  },

  async "through a compression and back"(a, b) {
    const plain = "hola ".repeat(100_000);
    const sending = new Blob([plain]).stream().pipeThrough(new CompressionStream("gzip")).pipeTo(a.interop.writable);
    assert.equal(await text(b.interop.readable.pipeThrough(new DecompressionStream("gzip"))), plain);
    await sending;
  },

  async "a chunk may be transferred: it shares its memory with no other"(a, b) {
    const reader = b.interop.readable.getReader();
    for (const word of ["hola", "mundo"]) {
      await a.write(word);
      const { value } = await reader.read();
      assert.ok(value !== undefined && value.byteLength === value.buffer.byteLength);
      assert.equal(Buffer.from(structuredClone(value, { transfer: [value.buffer as ArrayBuffer] })).toString(), word);
    }
  },

  async "iterating over the readable Web Stream: break aborts, unless it is told not to cancel"(a, b) {
    await a.write("x");
    for await (const _ of b.interop.readable.values({ preventCancel: true })) break;
    await a.write("y");
    assert.equal(String(await b.read()), "y");
    await a.write("z");
    for await (const _ of b.interop.readable) break;
    assert.equal((await b.closed).how, "aborted");
  },

  async "pipelines of Node: through the connection and back, with the end"(a, b) {
    const capitals = new Transform({
      transform: (chunk: Buffer, _encoding, done) => done(null, chunk.toString().toUpperCase()),
    });
    const stream = b.interop.toNodeStream();
    const serving = pipeline(stream, capitals, stream);
    const answer = textToEnd(a);
    await pipeline(Readable.from(["hola ", "mundo"]), a.interop.toNodeStream(), { end: true });
    assert.equal(await answer, "HOLA MUNDO");
    await serving;
    assert.deepEqual([(await a.closed).how, (await b.closed).how], ["ended", "ended"]);
  },

  async "a pipeline of Node whose source fails aborts the connection"(_a, b) {
    const failure = new Error("the source is broken");
    const broken = new Readable({ read: (): void => void broken.destroy(failure) });
    assert.equal(await reasonOf(pipeline(broken, b.interop.toNodeStream())), failure);
    assert.deepEqual(await b.closed.then(({ how, error }) => [how, error?.cause]), ["aborted", failure]);
  },

  async "destroying a Node stream in the middle of a read and a write is no error of its own"(a, b) {
    const stream = b.interop.toNodeStream();
    stream.on("error", (error) => assert.fail(error));
    stream.resume().write("x");
    const gone = new Promise((resolve) => {
      stream.once("close", resolve);
    });
    stream.destroy();
    await a.close();
    await gone;
    assert.equal((await b.closed).how, "closed");
  },

  async "lines of Node's readline"(a, b) {
    const lines: string[] = [];
    const reading = (async () => {
      for await (const line of createInterface({ input: b.interop.toNodeStream() })) lines.push(line);
    })();
    await a.write("uno\ndo");
    await a.write("s\n");
    await a.end();
    await reading;
    assert.deepEqual(lines, ["uno", "dos"]);
  },

  async "HTTP over it, in both roles"(a, b) {
    const http = createServer((request, response) => response.end(`hola ${request.url}`));
    http.emit("connection", b.interop.toNodeStream());
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get({ createConnection: () => a.interop.toNodeStream(), path: "/mundo", host: "example" }, resolve).on(
        "error",
        reject,
      );
    });
    assert.equal(await text(response), "hola /mundo");
  },
};

for (const [name, open] of Object.entries(worlds)) {
  describe(name, () => {
    for (const [title, body] of Object.entries(checks)) {
      test(title, async () => {
        const [a, b] = await open();
        try {
          await body(a, b, a.traits);
        } finally {
          a.abort();
          b.abort();
        }
      });
    }
  });
}

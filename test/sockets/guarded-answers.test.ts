import assert from "node:assert/strict";
import { test } from "node:test";
import { bind, type DatagramHandler, type DatagramSocket, serveDatagrams } from "../../src/index.ts";
import { assertError } from "../../src/testing/expect-error.ts";

/* A name service as RFC 1035 has it, guarded: its answers are longer than its questions, and say so where they do not fit. */

const HEAD_BYTES = 12;
/** Flags of an answer, and the one that says that there was more (section 4.1.1). */
const ANSWER = 0x8180;
const TRUNCATED = 0x0200;
const RECORD_BYTES = 16;

/** How many addresses each name has. */
const NAMES: Readonly<Record<string, number>> = { one: 1, three: 3, many: 40 };

/** A question for the addresses of a name, with some bytes behind it to make it longer. */
function question(name: string, paddingBytes = 0): Buffer {
  const head = Buffer.from([0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  const labels = [name, "example"].map((label) => Buffer.from([label.length, ...Buffer.from(label)]));
  return Buffer.concat([head, ...labels, Buffer.from([0, 0, 1, 0, 1]), Buffer.alloc(paddingBytes)]);
}

/** Each record points to the name of the question, and has an address of the documentation. */
function record(last: number): Buffer {
  return Buffer.from([0xc0, HEAD_BYTES, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, last]);
}

const answer: DatagramHandler = ({ data, maxReplyBytes }) => {
  const length = data[HEAD_BYTES] ?? 0;
  const count = NAMES[data.toString("latin1", HEAD_BYTES + 1, HEAD_BYTES + 1 + length)] ?? 0;
  const asked = data.subarray(0, question("x".repeat(length)).length);
  const fits = asked.length + count * RECORD_BYTES <= maxReplyBytes;
  const head = Buffer.from(asked);
  head.writeUInt16BE(fits ? ANSWER : ANSWER | TRUNCATED, 2);
  head.writeUInt16BE(fits ? count : 0, 6);
  return fits ? [head, ...Array.from({ length: count }, (_, index) => record(index + 1))] : head;
};

/** What an answer says: how many addresses, and whether there were more. */
async function ask(client: DatagramSocket, data: Buffer): Promise<readonly [addresses: number, truncated: boolean]> {
  await client.send(data);
  const { data: got } = await client.receive({ timeoutMs: 10_000 });
  assert.equal(got.readUInt16BE(0), 0x1234);
  return [got.readUInt16BE(6), (got.readUInt16BE(2) & TRUNCATED) !== 0];
}

test("answers longer than the question pass; one that is too long says so, and comes for a longer question", async () => {
  const errors: unknown[] = [];
  await using server = await serveDatagrams("udp://127.0.0.1:0", answer, {
    replies: "guarded",
    onError: (error) => errors.push(error),
  });
  await using client = await bind("udp://127.0.0.1:0", { remote: server.localAddress });
  assert.deepEqual(await ask(client, question("one")), [1, false]);
  assert.deepEqual(await ask(client, question("three")), [3, false]);
  assert.deepEqual(await ask(client, question("many")), [0, true]);
  assert.deepEqual(await ask(client, question("many", 200)), [40, false]);
  assert.deepEqual(errors, []);
});

test("maxAmplification is what the operator takes upon himself; 1 lets no answer grow", async () => {
  for (const [maxAmplification, expected] of [
    [25, [40, false]],
    [1, [0, true]],
  ] as const) {
    await using server = await serveDatagrams("udp://127.0.0.1:0", answer, {
      replies: "guarded",
      limits: { maxAmplification },
    });
    await using client = await bind("udp://127.0.0.1:0", { remote: server.localAddress });
    assert.deepEqual(await ask(client, question("many")), expected);
  }
});

test("an answer beyond the ratio is not sent, and the error names the limit", async () => {
  const errors: unknown[] = [];
  await using server = await serveDatagrams("udp://127.0.0.1:0", ({ data }) => Buffer.alloc(data.length * 3 + 1), {
    replies: "guarded",
    onError: (error) => errors.push(error),
  });
  await using client = await bind("udp://127.0.0.1:0", { remote: server.localAddress });
  await client.send("x".repeat(10));
  while (server.stats.requestsHandled === 0) await new Promise((resolve) => setImmediate(resolve));
  assertError(errors[0], { code: "DATAGRAM_TOO_LARGE", op: "reply", outcome: "none" });
  assert.match(String(errors[0]), /10 bytes with at most 30 \(limits\.maxAmplification, 3\)/);
  assert.equal(server.stats.datagramsSent, 0);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { pair } from "../../index.ts";
import { CHARGEN_PATTERN, datagramReplies, REPLY_NAMES, type ReplyName, streamReplies } from "./replies.ts";

/** Sends the pieces to a service, ends, and answers everything that comes back. */
async function served(name: ReplyName, pieces: readonly Uint8Array[]): Promise<Buffer> {
  const [client, peer] = pair();
  const serving = streamReplies[name](peer, new AbortController().signal).then(() => peer.close());
  const sending = (async () => {
    for (const piece of pieces) {
      await client.write(piece);
      // The next piece comes in another read.
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
    await client.end();
  })();
  const came: Buffer[] = [];
  for await (const bytes of client) came.push(bytes);
  await Promise.all([serving, sending]);
  return Buffer.concat(came);
}

test("upper: the capitals do not depend on where the bytes are cut", async () => {
  const text = fc.string({ unit: "grapheme", maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(text, async (line) => {
      const pieces = Array.from(Buffer.from(line), (byte) => Buffer.of(byte));
      assert.equal(String(await served("upper", pieces)), line.toUpperCase());
    }),
    { numRuns: 30 },
  );
});

test("upper: half a letter at the end, and bytes that are no text", async () => {
  const half = Buffer.from("ñ").subarray(0, 1);
  assert.equal(String(await served("upper", [Buffer.from("a"), half])), "A\ufffd");
  assert.equal(String(await served("upper", [Buffer.of(0xff), Buffer.from("b")])), "\ufffdB");
});

test("echo and discard", async () => {
  const pieces = [Buffer.from("ho"), Buffer.from("la")];
  assert.equal(String(await served("echo", pieces)), "hola");
  assert.equal((await served("discard", pieces)).length, 0);
});

test("time says its line and is done, whatever comes in", async () => {
  assert.match(String(await served("time", [])), /^\d{4}-\d\d-\d\dT.*Z\r\n$/);
});

test("chargen goes on until the peer closes, and its end is no error", async () => {
  const [client, peer] = pair();
  const serving = streamReplies.chargen(peer, new AbortController().signal);
  const first = await client.readExactly(CHARGEN_PATTERN.length + 74);
  assert.deepEqual(first, Buffer.concat([CHARGEN_PATTERN, CHARGEN_PATTERN.subarray(0, 74)]));
  client.abort();
  await serving;
});

test("every line of chargen has 72 characters, and begins one later than the one before (RFC 864)", () => {
  const lines = CHARGEN_PATTERN.toString().split("\r\n");
  assert.equal(lines.length, 96);
  assert.ok(lines.slice(0, 95).every((line, index) => line.length === 72 && line.charCodeAt(0) === 32 + index));
});

test("a service ends soon when the server stops", async () => {
  for (const name of ["echo", "upper", "discard", "chargen"] as const) {
    const [client, peer] = pair();
    const stop = new AbortController();
    const serving = streamReplies[name](peer, stop.signal);
    const reading = (async () => {
      for await (const bytes of client) void bytes;
      await client.end();
    })();
    stop.abort();
    await serving;
    await Promise.all([peer.close(), reading]);
  }
});

// The rules are those of docs/semantics.md.
test("an answer is never longer than its question (rule B3)", () => {
  const text = fc.string({ unit: "grapheme" }).map((value) => Buffer.from(value));
  const bytes = fc.uint8Array().map((value) => Buffer.from(value));
  fc.assert(
    fc.property(fc.oneof(text, bytes), fc.constantFrom(...REPLY_NAMES), (question, name) => {
      const answer = datagramReplies[name](question);
      assert.ok(answer === undefined || answer.length <= question.length);
    }),
  );
});

test("capitals that need more bytes are cut between two letters", () => {
  const upper = (text: string): string | undefined => datagramReplies.upper(Buffer.from(text))?.toString();
  assert.equal(upper("hola, ñandú"), "HOLA, ÑANDÚ");
  assert.equal(upper("straße"), "STRASSE");
  // U+0149 becomes two letters of three bytes.
  assert.equal(upper("\u0149"), "\u02bc");
  assert.equal(upper("a\u0390"), "A\u0399");
});

test("the other services", () => {
  const question = Buffer.from("0123456789012345678901234567890123456789");
  assert.equal(datagramReplies.echo(question), question);
  assert.equal(datagramReplies.discard(question), undefined);
  assert.match(String(datagramReplies.time(question)), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.equal(datagramReplies.chargen(question)?.toString(), " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFG");
});

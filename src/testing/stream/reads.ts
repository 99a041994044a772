/** The stream suite: the ways to read. */

import assert from "node:assert/strict";
import { EndOfStreamError, ProtocolError, TimeoutError, UsageError } from "../../core/errors.ts";
import { expectError } from "../expect-error.ts";
import { patternBytes, pending, SHORT_MS, type StreamChecks, textToEnd } from "./check.ts";

/** `read`, `readInto`, `readExactly` and `readUntil`. */
export const readChecks: StreamChecks = {
  async "read waits for bytes, and gives null at the end, again and again"(a, b) {
    const reading = b.read();
    await a.write("hola");
    const first = String(await reading);
    assert.ok(first.length > 0 && "hola".startsWith(first), first);
    assert.equal(first + String(await b.readExactly(4 - first.length)), "hola");
    await a.end();
    for (let again = 0; again < 3; again += 1) assert.equal(await b.read(), null);
  },

  async "read gives at most maxBytes and keeps the rest"(a, b) {
    await a.write("abcdef");
    await a.end();
    const first = String(await b.read({ maxBytes: 2 }));
    assert.ok(first === "a" || first === "ab", first);
    const second = String(await b.read({ maxBytes: 1 }));
    assert.equal(second.length, 1);
    assert.equal(first + second + (await textToEnd(b)), "abcdef");
  },

  async "read refuses a maxBytes that is no number of bytes"(_a, b) {
    for (const maxBytes of [0, -1, Number.NaN]) {
      await expectError(b.read({ maxBytes }), { code: "OPTION_INVALID", op: "read", type: UsageError });
    }
  },

  async "reads are served first come first served, whatever their kind"(a, b) {
    // One byte: with more room, a read may end where the network has cut.
    const target = Buffer.alloc(1);
    const reads = [b.readExactly(3), b.readUntil("\n"), b.readInto(target).then(() => target), b.readExactly(4)];
    await a.write("abcline\nxrest");
    assert.deepEqual((await Promise.all(reads)).map(String), ["abc", "line\n", "x", "rest"]);
  },

  async "readInto fills a part of the caller's memory and nothing beside it"(a, b) {
    const memory = new Uint8Array(16).fill(0x2e);
    await a.write("hola");
    for (let filled = 0; filled < 4; ) filled += (await b.readInto(memory.subarray(4 + filled, 12))) ?? 0;
    assert.equal(String(Buffer.from(memory)), "....hola........");
    const waiting = b.readInto(memory.subarray(0, 2));
    await a.write("xyz");
    const count = (await waiting) ?? 0;
    assert.ok(count === 1 || count === 2, String(count));
    assert.equal(String(Buffer.from(memory)), `${count === 1 ? "x." : "xy"}..hola........`);
    assert.equal(String(await b.readExactly(3 - count)), "xyz".slice(count));
  },

  async "readInto of nothing resolves with 0 at once; null at the end"(a, b) {
    assert.equal(await b.readInto(new Uint8Array(0)), 0);
    await a.end();
    assert.equal(await b.readInto(new Uint8Array(1)), null);
  },

  async "readExactly gathers pieces, and leaves what comes behind"(a, b) {
    const six = b.readExactly(6);
    for (const piece of ["a", "bc", "de", "fg"]) await a.write(piece);
    assert.equal(String(await six), "abcdef");
    assert.equal(String(await b.readExactly(1)), "g");
    assert.equal((await b.readExactly(0)).length, 0);
  },

  async "readExactly takes more than is read ahead"(a, b) {
    const count = 1_000_000;
    const write = a.write(patternBytes(0, count));
    assert.ok((await b.readExactly(count)).equals(patternBytes(0, count)));
    await write;
  },

  async "readExactly rejects END_OF_STREAM with what did come"(a, b) {
    const waiting = pending(b.readExactly(5));
    await a.write("abc");
    await a.end();
    const error = await expectError(waiting, { code: "END_OF_STREAM", op: "readExactly", type: EndOfStreamError });
    assert.equal(String(Buffer.from((error as EndOfStreamError).partial)), "abc");
    assert.equal(await b.read(), null);
    const empty = await expectError(b.readExactly(1), { code: "END_OF_STREAM" });
    assert.equal((empty as EndOfStreamError).partial.length, 0);
  },

  async "readExactly refuses what is no count"(_a, b) {
    for (const count of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      await expectError(b.readExactly(count), { code: "OPTION_INVALID", op: "readExactly", type: UsageError });
    }
  },

  async "peek shows bytes and leaves them, and waits for as many as it wants"(a, b) {
    const waiting = b.peek(4);
    for (const letter of "abcdef") await a.write(letter);
    assert.equal(String(await waiting), "abcd");
    assert.equal(String(await b.peek(1)), "a");
    assert.equal(String(await b.peek({ min: 5, max: 5 })), "abcde");
    const shown = await b.peek({ max: 2 });
    assert.equal(String(shown), "ab");
    shown.fill(0);
    assert.equal((await b.peek(0)).length, 0);
    assert.equal(String(await b.readExactly(6)), "abcdef");
    assert.equal((await b.peek({ min: 0 })).length, 0);
  },

  async "peek waits in line with the reads, and a cancelled one leaves the line"(a, b) {
    const stop = new AbortController();
    const cancelled = pending(b.peek(100, { signal: stop.signal }));
    const line = [b.readExactly(2), b.peek(2), b.readExactly(3), b.peek({ min: 2, max: 2 })];
    await a.write("abcdefgh");
    stop.abort(new Error("no"));
    await assert.rejects(cancelled, { message: "no" });
    assert.deepEqual((await Promise.all(line)).map(String), ["ab", "cd", "cde", "fg"]);
    await expectError(b.peek(9, { timeoutMs: 0 }), { code: "TIMEOUT", op: "peek" });
    assert.equal(String(await b.readExactly(3)), "fgh");
  },

  async "peek shows at the end what there is, and this side can still answer"(a, b) {
    const waiting = b.peek(5);
    await a.write("abc");
    await a.end();
    assert.equal(String(await waiting), "abc");
    assert.equal(String(await b.peek({ min: 10 })), "abc");
    assert.equal(await textToEnd(b), "abc");
    for (let again = 0; again < 2; again += 1) assert.equal((await b.peek(1)).length, 0);
    assert.equal(await b.read(), null);
  },

  async "peek may ask for more than is read ahead"(a, b) {
    const count = 300_000;
    const write = a.write(patternBytes(0, count));
    assert.ok((await b.peek(count)).equals(patternBytes(0, count)));
    assert.ok((await b.readExactly(count)).equals(patternBytes(0, count)));
    await write;
  },

  async "peek refuses what is no range of bytes"(_a, b) {
    for (const bytes of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, { min: 2, max: 1 }]) {
      await expectError(b.peek(bytes), { code: "OPTION_INVALID", op: "peek", type: UsageError });
    }
  },

  async "unread puts bytes back in front"(a, b) {
    await a.write("abcdef");
    const first = await b.readExactly(4);
    b.unread(first.subarray(2));
    b.unread(first.subarray(0, 2));
    first.fill(0);
    assert.equal(String(await b.peek(3)), "abc");
    assert.equal(String(await b.readExactly(6)), "abcdef");
    await a.end();
    assert.equal(await b.read(), null);
    b.unread(Buffer.from("last"));
    assert.equal(await textToEnd(b), "last");
  },

  async "unread refuses more than was read, what is no bytes, and a read that waits"(a, b) {
    const expected = { code: "OPTION_INVALID", op: "unread", type: UsageError } as const;
    const unread = (bytes: unknown): Promise<void> => Promise.resolve().then(() => b.unread(bytes as Uint8Array));
    await expectError(unread(Buffer.from("x")), expected);
    await a.write("abc");
    await b.readExactly(2);
    await expectError(unread(Buffer.from("123")), expected);
    await expectError(unread("ab"), expected);
    const waiting = b.readExactly(2);
    await expectError(unread(Buffer.from("ab")), { code: "READER_TAKEN", op: "unread" });
    await a.write("d");
    assert.equal(String(await waiting), "cd");
    b.unread(Buffer.from("ab"));
    assert.equal(String(await b.readExactly(2)), "ab");
  },

  async "after close and abort unread does nothing, and peek rejects"(a, b) {
    await a.write("abc");
    await b.readExactly(3);
    a.abort();
    b.abort();
    b.unread(Buffer.from("abc"));
    await expectError(b.peek(1), { code: "CONNECTION_ABORTED", op: "peek" });
  },

  async "expect finds its line however it is cut, and takes nothing behind it"(a, b) {
    const waiting = b.expect(/^(\d{3}) (.*)$/g);
    for (const letter of "250-uno\r\n\r\n250 dos\nrest") await a.write(letter);
    const { line, before, match } = await waiting;
    assert.deepEqual([line, before, match[1], match[2]], ["250 dos", ["250-uno", ""], "250", "dos"]);
    assert.equal(String(await b.readExactly(4)), "rest");
    await a.write("ñandú\n");
    assert.equal((await b.expect(/ú$/)).line, "ñandú");
  },

  async "expect takes a prompt that has no end of line, and the last line at the end"(a, b) {
    await a.write("welcome\nlogin: ");
    const { line, before } = await b.expect(/login: $/, { prompt: true });
    assert.deepEqual([line, before], ["login: ", ["welcome"]]);
    await a.write("no end");
    await a.end();
    assert.equal((await b.expect(/end$/)).line, "no end");
    await expectError(b.expect(/x/), { code: "END_OF_STREAM", op: "expect" });
  },

  async "expect rejects with the reason of its signal, whatever that is (docs/semantics.md, rule A4)"(_a, b) {
    const reason = new TimeoutError("TIMEOUT", { op: "another" });
    await assert.rejects(b.expect(/x/, { signal: AbortSignal.abort(reason) }), (error) => error === reason);
    const stop = new AbortController();
    const waiting = pending(b.expect(/x/, { signal: stop.signal }));
    stop.abort(reason);
    await assert.rejects(waiting, (error) => error === reason);
  },

  async "expect says what came instead, and consumes nothing in vain"(a, b) {
    const shown = /the last 9 of 9 bytes are "554 no\\r\\n\\u001b"$/;
    await a.write("554 no\r\n\u001b");
    await b.peek(9);
    const late = await expectError(b.expect(/^220 /, { timeoutMs: SHORT_MS }), { code: "TIMEOUT", type: TimeoutError });
    assert.match(late.detail, shown);
    const full = b.expect(/^220 /, { maxBytes: 9 });
    const { detail } = await expectError(full, { code: "DELIMITER_NOT_FOUND", op: "expect", type: ProtocolError });
    assert.match(detail.replace("; raise maxBytes, or drop the peer", ""), shown);
    assert.equal((await b.expect(/^[245]\d\d /)).line, "554 no");
    await a.end();
    const error = await expectError(b.expect(/^220 /), { code: "END_OF_STREAM", op: "expect", type: EndOfStreamError });
    assert.equal(String(Buffer.from((error as EndOfStreamError).partial)), "\u001b");
  },

  async "expect gives up after 8,192 bytes by default, and can look through more than is read ahead"(a, b) {
    const waiting = pending(b.expect(/^220 /));
    const write = a.write(["x\n".repeat(100_000), "220 here\n"]);
    await expectError(waiting, { code: "DELIMITER_NOT_FOUND", op: "expect" });
    assert.equal((await b.expect(/^220 /, { maxBytes: 300_000 })).before.length, 100_000);
    await write;
  },

  async "readUntil finds delimiters of one and of many bytes, however they are cut"(a, b) {
    const text = "one\r\ntwo\r\r\n\r\n";
    const reading = (async () => [await b.readUntil("\r\n"), await b.readUntil("\r\n"), await b.readUntil("\r\n")])();
    for (const letter of text) await a.write(letter);
    assert.deepEqual((await reading).map(String), ["one\r\n", "two\r\r\n", "\r\n"]);
    await a.write(text);
    const bytes = Buffer.from("\n");
    assert.equal(String(await b.readUntil(bytes)), "one\r\n");
  },

  async "readUntil looks at maxBytes bytes, delimiter included, and consumes nothing in vain"(a, b) {
    await a.write("12345\nrest");
    await a.end();
    const expected = { code: "DELIMITER_NOT_FOUND", op: "readUntil", type: ProtocolError } as const;
    await expectError(b.readUntil("\n", { maxBytes: 5 }), expected);
    assert.equal(String(await b.readUntil("\n", { maxBytes: 6 })), "12345\n");
    assert.equal(await textToEnd(b), "rest");
  },

  async "readUntil gives up after 65,536 bytes by default"(a, b) {
    const waiting = pending(b.readUntil("\n"));
    const write = a.write(Buffer.alloc(65_537, "x"));
    await expectError(waiting, { code: "DELIMITER_NOT_FOUND", op: "readUntil" });
    assert.equal((await b.readExactly(65_537)).length, 65_537);
    await write;
  },

  async "readUntil rejects END_OF_STREAM with the rest"(a, b) {
    const waiting = pending(b.readUntil("\n"));
    await a.write("no end");
    await a.end();
    const error = await expectError(waiting, { code: "END_OF_STREAM", op: "readUntil", type: EndOfStreamError });
    assert.equal(String(Buffer.from((error as EndOfStreamError).partial)), "no end");
    assert.equal(await b.read(), null);
  },

  async "readUntil refuses an empty delimiter and a maxBytes that cannot hold it"(_a, b) {
    const expected = { code: "OPTION_INVALID", op: "readUntil", type: UsageError } as const;
    await expectError(b.readUntil(""), expected);
    await expectError(b.readUntil("\r\n", { maxBytes: 1 }), expected);
  },
};

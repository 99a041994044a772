/** The stream suite: the ways to read. */

import assert from "node:assert/strict";
import { EndOfStreamError, ProtocolError, UsageError } from "../../core/errors.ts";
import { expectError } from "../expect-error.ts";
import { patternBytes, PatternCheck, pending, SHORT_MS, type StreamCheck, textToEnd } from "./check.ts";

/** `read`, `readInto`, `readExactly`, `readUntil` and iteration. */
export function readChecks(check: StreamCheck): void {
  someChecks(check);
  intoChecks(check);
  exactChecks(check);
  untilChecks(check);
  iterationChecks(check);
  loopOptionChecks(check);
  ownershipChecks(check);
}

function someChecks(check: StreamCheck): void {
  check("read waits for bytes, and gives null at the end, again and again", async (a, b) => {
    const reading = b.read();
    await a.write("hola");
    const first = String(await reading);
    assert.ok(first.length > 0 && "hola".startsWith(first), first);
    assert.equal(first + String(await b.readExactly(4 - first.length)), "hola");
    await a.end();
    for (let again = 0; again < 3; again += 1) assert.equal(await b.read(), null);
  });

  check("read gives at most maxBytes and keeps the rest", async (a, b) => {
    await a.write("abcdef");
    await a.end();
    const first = String(await b.read({ maxBytes: 2 }));
    assert.ok(first === "a" || first === "ab", first);
    const second = String(await b.read({ maxBytes: 1 }));
    assert.equal(second.length, 1);
    assert.equal(first + second + (await textToEnd(b)), "abcdef");
  });

  check("read refuses a maxBytes that is no number of bytes", async (_a, b) => {
    for (const maxBytes of [0, -1, Number.NaN]) {
      await expectError(b.read({ maxBytes }), { code: "OPTION_INVALID", op: "read", type: UsageError });
    }
  });

  check("reads are served first come first served, whatever their kind", async (a, b) => {
    // One byte: with more room, a read may end where the network has cut.
    const target = Buffer.alloc(1);
    const reads = [b.readExactly(3), b.readUntil("\n"), b.readInto(target).then(() => target), b.readExactly(4)];
    await a.write("abcline\nxrest");
    assert.deepEqual((await Promise.all(reads)).map(String), ["abc", "line\n", "x", "rest"]);
  });
}

function intoChecks(check: StreamCheck): void {
  check("readInto fills a part of the caller's memory and nothing beside it", async (a, b) => {
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
  });

  check("readInto of nothing resolves with 0 at once; null at the end", async (a, b) => {
    assert.equal(await b.readInto(new Uint8Array(0)), 0);
    await a.end();
    assert.equal(await b.readInto(new Uint8Array(1)), null);
  });
}

function exactChecks(check: StreamCheck): void {
  check("readExactly gathers pieces, and leaves what comes behind", async (a, b) => {
    const six = b.readExactly(6);
    for (const piece of ["a", "bc", "de", "fg"]) await a.write(piece);
    assert.equal(String(await six), "abcdef");
    assert.equal(String(await b.readExactly(1)), "g");
    assert.equal((await b.readExactly(0)).length, 0);
  });

  check("readExactly takes more than is read ahead", async (a, b) => {
    const count = 1_000_000;
    const write = a.write(patternBytes(0, count));
    assert.ok((await b.readExactly(count)).equals(patternBytes(0, count)));
    await write;
  });

  check("readExactly rejects END_OF_STREAM with what did come", async (a, b) => {
    const waiting = pending(b.readExactly(5));
    await a.write("abc");
    await a.end();
    const error = await expectError(waiting, { code: "END_OF_STREAM", op: "readExactly", type: EndOfStreamError });
    assert.equal(String(Buffer.from((error as EndOfStreamError).partial)), "abc");
    assert.equal(await b.read(), null);
    const empty = await expectError(b.readExactly(1), { code: "END_OF_STREAM" });
    assert.equal((empty as EndOfStreamError).partial.length, 0);
  });

  check("readExactly refuses what is no count", async (_a, b) => {
    for (const count of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      await expectError(b.readExactly(count), { code: "OPTION_INVALID", op: "readExactly", type: UsageError });
    }
  });
}

function untilChecks(check: StreamCheck): void {
  check("readUntil finds delimiters of one and of many bytes, however they are cut", async (a, b) => {
    const text = "one\r\ntwo\r\r\n\r\n";
    const reading = (async () => [await b.readUntil("\r\n"), await b.readUntil("\r\n"), await b.readUntil("\r\n")])();
    for (const letter of text) await a.write(letter);
    assert.deepEqual((await reading).map(String), ["one\r\n", "two\r\r\n", "\r\n"]);
    await a.write(text);
    const bytes = Buffer.from("\n");
    assert.equal(String(await b.readUntil(bytes)), "one\r\n");
  });

  check("readUntil looks at maxBytes bytes, delimiter included, and consumes nothing in vain", async (a, b) => {
    await a.write("12345\nrest");
    await a.end();
    const expected = { code: "DELIMITER_NOT_FOUND", op: "readUntil", type: ProtocolError } as const;
    await expectError(b.readUntil("\n", { maxBytes: 5 }), expected);
    assert.equal(String(await b.readUntil("\n", { maxBytes: 6 })), "12345\n");
    assert.equal(await textToEnd(b), "rest");
  });

  check("readUntil gives up after 65,536 bytes by default", async (a, b) => {
    const waiting = pending(b.readUntil("\n"));
    const write = a.write(Buffer.alloc(65_537, "x"));
    await expectError(waiting, { code: "DELIMITER_NOT_FOUND", op: "readUntil" });
    assert.equal((await b.readExactly(65_537)).length, 65_537);
    await write;
  });

  check("readUntil rejects END_OF_STREAM with the rest", async (a, b) => {
    const waiting = pending(b.readUntil("\n"));
    await a.write("no end");
    await a.end();
    const error = await expectError(waiting, { code: "END_OF_STREAM", op: "readUntil", type: EndOfStreamError });
    assert.equal(String(Buffer.from((error as EndOfStreamError).partial)), "no end");
    assert.equal(await b.read(), null);
  });

  check("readUntil refuses an empty delimiter and a maxBytes that cannot hold it", async (_a, b) => {
    const expected = { code: "OPTION_INVALID", op: "readUntil", type: UsageError } as const;
    await expectError(b.readUntil(""), expected);
    await expectError(b.readUntil("\r\n", { maxBytes: 1 }), expected);
  });
}

function iterationChecks(check: StreamCheck): void {
  check("break in for await neither closes nor loses bytes", async (a, b) => {
    const received = new PatternCheck();
    await a.write(patternBytes(0, 3000));
    for await (const piece of b) {
      received.next(piece);
      break;
    }
    await a.write(patternBytes(3000, 3000));
    await b.write("open");
    assert.equal(String(await a.readExactly(4)), "open");
    await a.end();
    for await (const piece of b) received.next(piece);
    assert.equal(received.bytes, 6000);
  });

  check("an iteration that is given up does not take bytes away from others", async (a, b) => {
    const iterator = b[Symbol.asyncIterator]();
    const steps = [iterator.next(), iterator.next()];
    const waiting = b.read();
    assert.deepEqual(await iterator.return?.(), { done: true, value: undefined });
    for (const step of steps) assert.deepEqual(await step, { done: true, value: undefined });
    assert.deepEqual(await iterator.next(), { done: true, value: undefined });
    await a.write("yours");
    assert.equal(String(await waiting).slice(0, 1), "y");
  });

  check("an error in the body of for await leaves the connection open", async (a, b) => {
    await a.write("first");
    const failure = new Error("of the body");
    let taken = 0;
    const loop = async (): Promise<void> => {
      for await (const piece of b) {
        taken = piece.length;
        throw failure;
      }
    };
    await assert.rejects(loop, failure);
    assert.ok(taken > 0);
    await a.write("second");
    assert.equal(String(await b.readExactly(11 - taken)), "firstsecond".slice(taken));
  });
}

function loopOptionChecks(check: StreamCheck): void {
  check("until ends reads and loops in order; what was not taken stays", async (a, b) => {
    const stop = new AbortController();
    const options = { until: stop.signal };
    const reads = [b.read(options), b.readInto(Buffer.alloc(1), options)];
    const step = b.chunks(options).next();
    const other = b.readExactly(4);
    stop.abort();
    assert.deepEqual(await Promise.all(reads), [null, null]);
    assert.deepEqual(await step, { done: true, value: undefined });
    await a.write("holaadiós");
    assert.equal(String(await other), "hola");
    for await (const bytes of b.chunks(options)) assert.fail(String(bytes));
    assert.equal(await b.read(options), null);
    await a.end();
    assert.equal(await textToEnd(b), "adiós");
  });

  check("timeoutMs is for each step of a loop; another loop goes on", async (a, b) => {
    await a.write("x");
    const loop = b.chunks({ timeoutMs: SHORT_MS });
    const first = await expectError(b.chunks({ timeoutMs: 0 }).next(), { code: "TIMEOUT", op: "read" });
    assert.equal(first.outcome, "none");
    assert.equal(String((await b.chunks().next()).value), "x");
    await expectError(loop.next(), { code: "TIMEOUT", op: "read" });
    await a.write("y");
    assert.equal(String((await b.chunks({ timeoutMs: 60_000 }).next()).value), "y");
  });

  check(
    "signal rejects the step of a loop; wrong options reject, and only who may end with nothing has until",
    async (a, b) => {
      const stop = new AbortController();
      const reason = new Error("stop");
      const step = pending(b.chunks({ signal: stop.signal, until: new AbortController().signal }).next());
      stop.abort(reason);
      await assert.rejects(step, reason);
      const wrong = { code: "OPTION_INVALID", type: UsageError } as const;
      await expectError(b.chunks({ timeoutMs: -1 }).next(), { ...wrong, op: "read" });
      await expectError(b.chunks({ until: {} as AbortSignal }).next(), { ...wrong, op: "read" });
      const until = { until: stop.signal } as {};
      await expectError(b.readExactly(1, until), { ...wrong, op: "readExactly" });
      await expectError(b.readUntil("x", until), { ...wrong, op: "readUntil" });
      await a.write("x");
      assert.equal(String(await b.read()), "x");
    },
  );
}

function ownershipChecks(check: StreamCheck): void {
  check("the bytes of a read belong to the caller", async (a, b) => {
    const kept: Buffer[] = [];
    const reading = (async () => {
      for await (const piece of b) kept.push(piece);
    })();
    let offset = 0;
    for (let size = 1; size < 20_000; size = size * 2 + 1) {
      await a.write(patternBytes(offset, size));
      offset += size;
    }
    await a.end();
    await reading;
    // Changing one piece changes no other, and what came later has changed none.
    const received = new PatternCheck();
    for (const piece of kept) {
      received.next(piece);
      piece.fill(0);
    }
    assert.equal(received.bytes, offset);
  });
}

/** Connections against raw `node:net` and `node:tls`, as client and as server. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { ConnectionError } from "../../src/index.ts";
import { expectError } from "../../src/testing/expect-error.ts";
import { patternBytes, PatternCheck, pending, sendPattern, textToEnd } from "../../src/testing/stream/check.ts";
import { arrivals, cleanup, type Pair, rawPattern, rawToEnd, worlds } from "./raw-pairs.ts";

const MEBIBYTE = 1_048_576;

async function checkPattern(pieces: AsyncIterable<Uint8Array>, byteCount: number): Promise<void> {
  const received = new PatternCheck();
  for await (const piece of pieces) received.next(piece);
  assert.equal(received.bytes, byteCount);
}

for (const world of worlds) {
  for (const [role, open] of [
    ["calls", world.ownCalls],
    ["is called", world.rawCalls],
  ] as const) {
    describe(`${world.name}, ours ${role}`, () => {
      const check = (title: string, body: (pair: Pair) => Promise<void>): void => {
        test(title, async (t) => {
          t.after(cleanup);
          await body(await open());
        });
      };

      check("data both ways at once", async ({ own, raw }) => {
        const ours = async (): Promise<void> => {
          await sendPattern(own, 4 * MEBIBYTE, 77_777);
          await own.end();
        };
        await Promise.all([
          ours(),
          rawPattern(raw, 3 * MEBIBYTE),
          checkPattern(own, 3 * MEBIBYTE),
          checkPattern(arrivals(raw), 4 * MEBIBYTE),
        ]);
        assert.equal((await own.closed).how, "ended");
      });

      check("the raw side ends first, ours still answers", async ({ own, raw }) => {
        raw.end("question");
        assert.equal(await textToEnd(own), "question");
        const answer = rawToEnd(raw);
        await own.write("answer");
        await own.end();
        assert.equal(String(await answer), "answer");
        assert.equal((await own.closed).how, "ended");
      });

      check("our side ends first, the raw one still answers", async ({ own, raw }) => {
        const question = rawToEnd(raw);
        await own.write("question");
        await own.end();
        assert.equal(String(await question), "question");
        raw.end("answer");
        assert.equal(await textToEnd(own), "answer");
        assert.equal((await own.closed).how, "ended");
      });

      check("the last answer arrives whole although the question was never read", async ({ own, raw }) => {
        raw.write(Buffer.alloc(200_000));
        await own.readExactly(1);
        const answer = rawToEnd(raw);
        own.write(patternBytes(0, 200_000)).catch(() => undefined);
        const closing = own.close();
        assert.ok((await answer).equals(patternBytes(0, 200_000)));
        raw.end();
        await closing;
        assert.equal((await own.closed).how, "closed");
      });

      check("the raw side resets", async ({ own, raw, beneath }) => {
        await own.write("hola");
        await once(raw, "data");
        if (world.reset) beneath.resetAndDestroy();
        else beneath.destroy();
        if (!world.reset) {
          assert.equal(await own.read(), null);
          return;
        }
        await expectError(own.read(), { code: "CONNECTION_RESET", op: "read", side: "remote" });
        await expectError(own.write("x"), { code: "CONNECTION_RESET", op: "write", outcome: "none" });
        assert.equal((await own.closed).how, "reset");
      });

      check("the raw side resets behind bytes that nobody has read", async ({ own, raw, beneath }) => {
        await own.write("hola");
        await once(raw, "data");
        raw.write("the last words");
        while (own.bytesReceived < 14) await nextTurn();
        if (world.reset) beneath.resetAndDestroy();
        else beneath.destroy();
        // What had arrived stays readable, and the reset behind it is no end.
        const { how } = await (world.reset ? own.closed : Promise.resolve({ how: "none" }));
        assert.equal(String(await own.readExactly(14)), "the last words");
        if (!world.reset) assert.equal(await own.read(), null);
        else {
          assert.equal(how, "reset");
          await expectError(own.read(), { code: "CONNECTION_RESET", op: "read" });
        }
      });

      check("our side resets", async ({ own, raw, beneath }) => {
        const failed = new Promise<unknown>((resolve) => {
          for (const one of new Set([raw, beneath]))
            one.on("error", resolve).on("end", () => resolve({ code: "ended" }));
        });
        raw.resume().write("x");
        await own.readExactly(1);
        own.abort();
        assert.equal(((await failed) as { code: string }).code, world.reset ? "ECONNRESET" : "ended");
        assert.equal((await own.closed).how, "aborted");
      });

      if (world.tls) tlsChecks(check);
    });
  }
}

function tlsChecks(check: (title: string, body: (pair: Pair) => Promise<void>) => void): void {
  check(
    "the raw side ends TCP without close_notify: a plain end, that a protocol must notice",
    async ({ own, raw, beneath }) => {
      await own.write("hola");
      await once(raw, "data");
      raw.write("half a mess");
      while (own.bytesReceived < 11) await nextTurn();
      // Beneath the engine: FIN goes out, and no alert before it (RFC 8446 section 6.1).
      beneath.destroySoon();
      assert.equal(String(await own.readExactly(11)), "half a mess");
      const read = await own.read().catch((error: unknown) => (error as { code: string }).code);
      assert.ok(read === null || read === "CONNECTION_RESET", String(read));
    },
  );

  check("the raw side damages a record", async ({ own, raw, beneath }) => {
    await own.write("hola");
    await once(raw, "data");
    const reading = pending(own.read());
    // Past the engine, straight to the kernel: an application record of 32 bytes that no key fits.
    beneath.write(Buffer.concat([Buffer.from("1703030020", "hex"), Buffer.alloc(32, 7)]));
    await expectError(reading, { code: "TLS_FAILED", op: "read", side: "remote", type: ConnectionError });
    const { how, error } = await own.closed;
    assert.equal(how, "reset");
    assert.match(String(error?.detail), /^TLS broke off \([\w ]+\);/);
  });

  check("the raw side sends an alert", async ({ own, raw, beneath }) => {
    await own.write("hola");
    await once(raw, "data");
    const reading = pending(own.read());
    // Not encrypted, as from somebody in between: a fatal alert, "internal error" (RFC 8446 section 6).
    beneath.write(Buffer.from("15030300020250", "hex"));
    const { code } = await expectError(reading, { code: "TLS_FAILED", op: "read", type: ConnectionError });
    assert.equal((await own.closed).error?.code, code);
  });
}

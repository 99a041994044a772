/** What every codec must do, whatever its format. The rules are those of `Codec` and `Decoder`. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Codec } from "../../core/framing/codec.ts";
import { ANYTHING, type OptionRules, refuseUnknown } from "../../core/options/check-options.ts";
import {
  arriving,
  assertMessages,
  assertSame,
  type CodecChecks,
  type CodecSuiteOptions,
  decoded,
  encoded,
  equalPieces,
} from "./check.ts";
import { errorChecks } from "./errors.ts";
import { linearChecks } from "./linear.ts";
import { messageChecks } from "./messages.ts";

/** The life of a decoder. */
const flowChecks: CodecChecks = {
  "stop leaves the rest unused, and decoding goes on there"(create, options) {
    const wire = encoded(create(), options.messages);
    for (const pieceBytes of [wire.length, 10]) {
      const decoder = create().createDecoder();
      const messages: unknown[] = [];
      for (const piece of equalPieces(wire, pieceBytes)) {
        for (let at = 0; at < piece.length; ) {
          const before = messages.length;
          at += decoder.decode(piece, at, piece.length, (message) => {
            messages.push(decoder.own(message));
            decoder.stop();
          });
          assert.ok(messages.length <= before + 1, "a message came after stop");
        }
      }
      decoder.end();
      assertSame(messages, arriving(options, options.messages), `pieces of ${pieceBytes}`);
    }
  },

  "what was not delivered can be taken back at any place, and nothing is lost or doubled"(create, options) {
    const wire = encoded(create(), options.messages).subarray(0, 600);
    const whole = decoded(create().createDecoder(), [wire], false);
    for (let at = 0; at <= wire.length; at += 1) {
      const first = create().createDecoder();
      const before = decoded(first, [wire.subarray(0, at)], false);
      assert.ok(first.heldBytes <= at);
      const { heldBytes } = first;
      const rest = first.takeRest();
      assert.equal(rest.length, heldBytes);
      assert.equal(first.heldBytes, 0);
      first.end();
      const after = decoded(create().createDecoder(), [rest, wire.subarray(at)], false);
      assertSame([...before.messages, ...after.messages], whole.messages, `detached at ${at}`);
    }
  },

  "after stop in the middle of a batch, unused and held bytes are everything that follows"(create, options) {
    const wire = encoded(create(), [options.sized(50), ...options.messages]);
    const decoder = create().createDecoder();
    // The first message is completed from what is held, so that its end lies in the second piece.
    decoder.decode(wire, 0, 1, () => assert.fail("one byte is not the whole message"));
    let rest: Buffer | undefined;
    const used = decoder.decode(wire, 1, wire.length, () => {
      decoder.stop();
      rest = decoder.takeRest();
    });
    assert.equal(rest?.length, 0);
    const others = decoded(create().createDecoder(), [wire.subarray(1 + used)]);
    assertMessages(others, arriving(options, options.messages));
  },

  "own makes a message last when its bytes are reused"(create, options) {
    const messages = [...options.messages, options.sized(9000), options.sized(40_000)];
    const wire = encoded(create(), messages);
    for (const pieceBytes of [wire.length, 1000, 3]) {
      const decoder = create().createDecoder();
      const kept: unknown[] = [];
      for (const piece of equalPieces(wire, pieceBytes)) {
        const reused = Buffer.from(piece);
        decoder.decode(reused, 0, reused.length, (message) => kept.push(decoder.own(message)));
        reused.fill(0xee);
      }
      assertSame(kept, arriving(options, messages), `pieces of ${pieceBytes}`);
    }
  },

  "holds only the bytes of the unfinished message, and says so when the stream ends there"(create, options) {
    const codec = create();
    const wire = encoded(codec, options.messages).subarray(0, 600);
    let boundary = 0;
    const boundaries = new Set([0]);
    for (const message of options.messages) boundaries.add((boundary += encoded(codec, [message]).length));
    for (let at = 0; at <= wire.length; at += 1) {
      const decoder = codec.createDecoder();
      decoded(decoder, [wire.subarray(0, at)], false);
      if (boundaries.has(at)) assert.equal(decoder.heldBytes, 0, `at ${at}`);
      const { heldBytes } = decoder;
      const { error } = decoded(decoder, []);
      assert.equal(error?.code, heldBytes > 0 ? "FRAME_TRUNCATED" : undefined, `at ${at}`);
      if (error !== undefined) assert.equal(decoded(decoder, [wire]).error, error, "the error must stay");
    }
  },
};

const NAMES = ["messages", "sized", "vectors", "accepts", "refuses", "unsendable", "limited", "arrives"];
const RULES: OptionRules = Object.fromEntries(NAMES.map((name) => [name, ANYTHING]));

/** Everything that the suite checks. */
export const codecChecks: readonly CodecChecks[] = [messageChecks, flowChecks, errorChecks, linearChecks];

/**
 * Puts a codec through everything that the contract promises: messages whole, byte by byte and cut at random; round trips;
 * vectors; stopping and handing back; truncation; garbage; limits; work that is linear, counted and not timed. Everything
 * random comes from seeds that are named when something fails. Registers a `describe` block with `node:test`; call it in
 * a test file.
 *
 * @param name - Names the block.
 * @param create - Makes the codec, with a limit of at least 64 KiB.
 *
 * @example
 * ```ts
 * import { lines } from "zocalo/framing";
 * import { codecSuite } from "zocalo/testing";
 * codecSuite("lines", () => lines({ maxLineBytes: 100_000 }), {
 *   messages: ["", "hola", "ñandú"],
 *   sized: (bytes) => "x".repeat(bytes),
 *   unsendable: [{ message: "two\nlines", code: "FRAME_INVALID" }],
 * });
 * ```
 */
export function codecSuite<In, Out = In>(
  name: string,
  create: () => Codec<In, Out>,
  options: CodecSuiteOptions<In, Out>,
): void {
  refuseUnknown({ op: "codecSuite" }, options, RULES);
  void describe(name, () => {
    for (const [title, check] of codecChecks.flatMap((one) => Object.entries(one))) {
      void it(title, () => check(create, options));
    }
  });
}

/** The codec suite: what a peer may do wrong, and what may not be sent (docs/semantics.md, rule C1). */

import assert from "node:assert/strict";
import { ByteWriter } from "../../core/bytes/byte-writer.ts";
import { ProtocolError, UsageError } from "../../core/errors.ts";
import type { Codec } from "../../core/framing/codec.ts";
import { assertError } from "../expect-error.ts";
import {
  arriving,
  assertMessages,
  assertSame,
  type CodecChecks,
  damaged,
  decoded,
  encoded,
  equalPieces,
  randomPieces,
  seededNumbers,
} from "./check.ts";

const SEEDS = 300;
/** What a wire form may need beside the message: a head, escapes (SLIP doubles), a mark. */
const WIRE_FACTOR = 2;
const WIRE_EXTRA_BYTES = 64;

/** Errors and limits. */
export const errorChecks: CodecChecks = {
  "garbage gives messages, or a typed error of the peer that stays; the same however it is cut"(create, options) {
    const wire = encoded(create(), options.messages).subarray(0, 2000);
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const next = seededNumbers(seed);
      const garbage = damaged(wire, next);
      const decoder = create().createDecoder();
      const whole = decoded(decoder, [garbage]);
      assert.ok(decoder.heldBytes <= garbage.length);
      if (whole.error !== undefined) {
        assert.equal(decoded(decoder, [wire]).error, whole.error, "the error must stay");
        assert.throws(() => decoder.end(), whole.error);
      }
      for (const pieces of [equalPieces(garbage, 1), randomPieces(garbage, next)]) {
        const again = decoded(create().createDecoder(), pieces);
        assertSame(again.messages, whole.messages, `seed ${seed}`);
        assert.equal(again.error?.code, whole.error?.code, `seed ${seed}`);
      }
    }
  },

  "bytes that must be refused, whole and byte by byte, after the messages before them"(create, options) {
    const good = options.messages.slice(0, 2);
    for (const { wire, code } of options.refuses ?? []) {
      const bytes = Buffer.concat([encoded(create(), good), wire]);
      for (const pieces of [[bytes], equalPieces(bytes, 1)]) {
        const { messages, error } = decoded(create().createDecoder(), pieces, false);
        assert.ok(error instanceof ProtocolError, `accepted ${Buffer.from(wire).toString("hex")}`);
        assertError(error, { code, op: "decode", side: "remote", type: ProtocolError });
        assertSame(messages, arriving(options, good));
      }
    }
  },

  "messages that must not be sent"(create, options) {
    for (const { message, code } of options.unsendable ?? []) refuseToSend(create(), message, code);
  },

  "the longest message is sent and received; one more is refused on both sides, before it is held"(
    create,
    { limited, ...options },
  ) {
    if (limited === undefined) return;
    const { codec, longest, tooLong } = limited;
    const fits = equalPieces(encoded(create(), [longest]), 1);
    assertSame([Buffer.concat(fits)], [encoded(codec, [longest])]);
    assertMessages(decoded(codec.createDecoder(), fits), arriving(options, [longest]));
    refuseToSend(codec, tooLong, "FRAME_TOO_LONG");
    const decoder = codec.createDecoder();
    let mostHeldBytes = 0;
    let code: string | undefined;
    for (const piece of equalPieces(encoded(create(), [tooLong]), 1)) {
      code ??= decoded(decoder, [piece], false).error?.code;
      mostHeldBytes = Math.max(mostHeldBytes, decoder.heldBytes);
    }
    assert.equal(code, "FRAME_TOO_LONG");
    assert.equal(decoder.heldBytes, 0);
    assert.ok(mostHeldBytes <= WIRE_FACTOR * codec.maxFrameBytes + WIRE_EXTRA_BYTES, `held ${mostHeldBytes} bytes`);
    assert.equal(decoded(codec.createDecoder(), [encoded(create(), [tooLong])]).error?.code, "FRAME_TOO_LONG");
  },

  "a message under way keeps the limit with which it began"(create, { limited, ...options }) {
    if (limited === undefined) return;
    const { codec, longest } = limited;
    const wire = encoded(codec, [longest]);
    const decoder = codec.createDecoder();
    assert.equal(decoder.maxFrameBytes, codec.maxFrameBytes);
    decoded(decoder, [wire.subarray(0, wire.length - 1)], false);
    decoder.maxFrameBytes = 1;
    assertMessages(decoded(decoder, [wire.subarray(wire.length - 1)], false), arriving(options, [longest]));
    assert.equal(decoded(decoder, [wire], false).error?.code, "FRAME_TOO_LONG");
    const raised = codec.createDecoder();
    raised.maxFrameBytes = create().maxFrameBytes;
    const beyond = encoded(create(), [limited.tooLong]);
    assertMessages(decoded(raised, [beyond]), arriving(options, [limited.tooLong]));
    for (const bytes of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(() => (raised.maxFrameBytes = bytes), { code: "OPTION_INVALID" });
    }
  },
};

function refuseToSend<In>(codec: Codec<In, unknown>, message: In, code: "FRAME_INVALID" | "FRAME_TOO_LONG"): void {
  const writer = new ByteWriter();
  let thrown: unknown;
  try {
    codec.encode(message, writer);
  } catch (error) {
    thrown = error;
  }
  assertError(thrown, { code, op: "encode", side: "local", outcome: "none", type: UsageError });
  assert.equal(writer.length, 0, "something was written");
}

/** The codec suite: messages arrive as they were sent, however the bytes are cut. */

import assert from "node:assert/strict";
import { ByteWriter } from "../../core/bytes/byte-writer.ts";
import {
  arriving,
  assertMessages,
  assertSame,
  type CodecChecks,
  decoded,
  encoded,
  equalPieces,
  randomPieces,
  seededNumbers,
} from "./check.ts";

const SEEDS = 25;
/** Beyond every size at which a decoder or writer changes its way: kept buffers, references, blocks. */
const SIZES: readonly number[] = [1000, 5000, 16_383, 16_384, 30_000, 60_000];

/** Round trips. */
export const messageChecks: CodecChecks = {
  "there are enough messages to say something"(_create, { messages }) {
    assert.ok(messages.length >= 3, "give at least three messages");
  },

  "whole: everything in one piece"(create, options) {
    const wire = encoded(create(), options.messages);
    assertMessages(decoded(create().createDecoder(), [wire]), arriving(options, options.messages));
  },

  "byte by byte, and in pieces of every small size"(create, options) {
    const wire = encoded(create(), options.messages);
    for (const size of [1, 2, 3, 5, 7, 13, 64, 257]) {
      const result = decoded(create().createDecoder(), equalPieces(wire, size));
      assertMessages(result, arriving(options, options.messages), `pieces of ${size}`);
    }
  },

  "cut in two at every place"(create, options) {
    const wire = encoded(create(), options.messages).subarray(0, 600);
    const whole = decoded(create().createDecoder(), [wire], false);
    for (let at = 0; at <= wire.length; at += 1) {
      const halves = decoded(create().createDecoder(), [wire.subarray(0, at), wire.subarray(at)], false);
      assertMessages(halves, whole.messages, `cut at ${at}`);
    }
  },

  "cut at random places"(create, options) {
    const messages = [...options.messages, ...SIZES.map((bytes) => options.sized(bytes)), ...options.messages];
    const wire = encoded(create(), messages);
    const expected = arriving(options, messages);
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const pieces = randomPieces(wire, seededNumbers(seed));
      assertMessages(decoded(create().createDecoder(), pieces), expected, `seed ${seed}`);
    }
  },

  "looks only at the bytes that it is given, which may be any Uint8Array"(create, options) {
    const wire = encoded(create(), options.messages);
    const decoder = create().createDecoder();
    const messages: unknown[] = [];
    for (let at = 0; at < wire.length; at += 50) {
      const size = Math.min(50, wire.length - at);
      // The same bytes again on both sides, so that looking there would find messages.
      const piece = wire.subarray(at, at + size);
      const around = new Uint8Array(Buffer.concat([piece, piece, piece, wire.subarray(0, 100)]));
      const used = decoder.decode(around, size, 2 * size, (message) => messages.push(decoder.own(message)));
      assert.equal(used, size);
    }
    decoder.end();
    assertSame(messages, arriving(options, options.messages));
  },

  "scan gives as many messages as decode"(create, options) {
    const decoder = create().createDecoder();
    let count = 0;
    for (const piece of equalPieces(encoded(create(), options.messages), 11)) {
      decoder.scan(piece, 0, piece.length, (bytes, start, end) => {
        assert.ok(Buffer.isBuffer(bytes) && start >= 0 && start <= end && end <= bytes.length);
        count += 1;
      });
    }
    decoder.end();
    assert.equal(count, options.messages.length);
  },

  "appends to what was written before, and changes nothing when it refuses a message"(create, options) {
    const codec = create();
    const writer = new ByteWriter();
    const expected: Buffer[] = [];
    for (const message of options.messages) {
      for (const { message: refused } of options.unsendable ?? []) {
        assert.throws(() => codec.encode(refused, writer));
      }
      codec.encode(message, writer);
      expected.push(encoded(codec, [message]));
    }
    assertSame([Buffer.concat(writer.take().chunks)], [Buffer.concat(expected)]);
  },

  "what the specification says"(create, options) {
    for (const { message, wire } of options.vectors ?? []) {
      assertSame([encoded(create(), [message])], [wire]);
      assertMessages(decoded(create().createDecoder(), [wire]), arriving(options, [message]));
    }
    for (const { messages, wire } of options.accepts ?? []) {
      assertMessages(decoded(create().createDecoder(), [wire]), messages);
      assertMessages(decoded(create().createDecoder(), equalPieces(Buffer.from(wire), 1)), messages);
    }
  },
};

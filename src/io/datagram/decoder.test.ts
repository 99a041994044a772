import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { test } from "node:test";
import fc from "fast-check";
import { Address } from "../../core/address/address.ts";
import { ByteWriter } from "../../core/bytes/byte-writer.ts";
import type { ZocaloError } from "../../core/errors.ts";
import { cobs } from "../../core/framing/boundaries/cobs.ts";
import { lengthPrefix } from "../../core/framing/boundaries/length-prefix.ts";
import { lines } from "../../core/framing/boundaries/lines.ts";
import { netstring } from "../../core/framing/boundaries/netstring.ts";
import { slip } from "../../core/framing/boundaries/slip.ts";
import { varintPrefix } from "../../core/framing/boundaries/varint-prefix.ts";
import type { Boundary, Codec } from "../../core/framing/codec.ts";
import { defineCodec } from "../../core/framing/define-codec.ts";
import { bytes } from "../../core/framing/formats/bytes.ts";
import { json } from "../../core/framing/formats/json.ts";
import { chain, FrameCodec } from "../../core/framing/frame-codec.ts";
import type { DiagnosticEvent } from "../operation/diagnostics.ts";
import { DatagramDecoder } from "./decoder.ts";

const from = Address.parse("udp://192.0.2.1:2000");
const local = Address.parse("udp://127.0.0.1:1000");

function decoderOf<Out>(codec: Codec<never, Out>): DatagramDecoder<Out> {
  return new DatagramDecoder(codec, () => local);
}

function datagram(data: string | Uint8Array): { readonly data: Buffer; readonly from: Address } {
  return { data: Buffer.from(data), from };
}

function errorsDuring(work: () => void): readonly DiagnosticEvent[] {
  const events: DiagnosticEvent[] = [];
  const listener = (message: unknown): void => void events.push(message as DiagnosticEvent);
  subscribe("zocalo:error", listener);
  try {
    work();
  } finally {
    unsubscribe("zocalo:error", listener);
  }
  return events;
}

test("exactly one message: anything else is dropped, and the next one is not touched by it", () => {
  const decoder = decoderOf(lines());
  for (const [index, wrong] of ["", "hola", "a\nb\n", "a\nb", "\xff", "\n\n"].entries()) {
    assert.equal(decoder.decode(datagram(Buffer.from(wrong, "latin1"))), undefined, JSON.stringify(wrong));
    assert.equal(decoder.dropped, index + 1);
    assert.deepEqual(decoder.decode(datagram("hola\n")), { message: "hola", from });
  }
});

test("what is dropped is published, with its sender and the reason", () => {
  const decoder = decoderOf(chain(lines({ maxLineBytes: 8 }), json()));
  const events = errorsDuring(() => {
    for (const wrong of ["", "{}\n[]\n", "{", "{\n", `${"1".repeat(10)}\n`]) decoder.decode(datagram(wrong));
    decoder.decode(datagram("{}\n"));
  });
  const told = events.map(({ kind, local: own, remote, error }) => {
    const { code, side, op } = error as ZocaloError;
    assert.deepEqual(
      { kind, own, remote, side, op },
      { kind: "datagram", own: String(local), remote: String(from), side: "remote", op: "receive" },
    );
    return code;
  });
  assert.deepEqual(told, ["FRAME_INVALID", "FRAME_INVALID", "FRAME_TRUNCATED", "FRAME_INVALID", "FRAME_TOO_LONG"]);
});

test("a codec that skips what is wrong skips it here too", () => {
  const skipped: string[] = [];
  const decoder = decoderOf(lines({ maxLineBytes: 4, resynchronise: ({ code }) => void skipped.push(code) }));
  assert.equal(decoder.decode(datagram("too long")), undefined);
  assert.equal(decoder.decode(datagram("too long\n")), undefined);
  assert.equal(decoder.decode(datagram("hola\n"))?.message, "hola");
  assert.equal(decoder.dropped, 2);
  assert.deepEqual(skipped, ["FRAME_TOO_LONG"]);
});

test("an error of the codec's own functions is the sender's; a codec that is wrong is the program's", () => {
  const throwing = defineCodec<Buffer>({
    name: "throwing",
    frameLength: (_bytes, start, end) => end - start,
    decode: () => {
      throw new TypeError("no");
    },
    encode: (message) => message,
  });
  const events = errorsDuring(() => assert.equal(decoderOf(throwing).decode(datagram("x")), undefined));
  assert.equal(events.length, 1);
  const boundary: Boundary = {
    name: "stuck",
    maxFrameBytes: 10,
    createFramer: () => ({ find: (_bytes, start) => start }),
    frame: () => undefined,
  };
  const stuck = new FrameCodec(boundary, bytes());
  assert.throws(() => decoderOf(stuck).decode(datagram("x")), { code: "OPTION_INVALID" });
});

test("a view of the datagram is handed on; what was unescaped is a copy that lasts", () => {
  const plain = datagram("\x04hola");
  const viewed = decoderOf(varintPrefix()).decode(plain)?.message;
  assert.equal(viewed?.buffer, plain.data.buffer);
  for (const codec of [cobs(), slip()]) {
    const writer = new ByteWriter();
    const wires = ["uno", "dos"].map((word) => {
      codec.encode(Buffer.from(`\xc0\0${word}`, "latin1"), writer);
      return Buffer.concat(writer.take().chunks);
    });
    const decoder = decoderOf(codec);
    const [one, two] = wires.map((wire) => decoder.decode(datagram(wire))?.message);
    assert.deepEqual([one?.toString("latin1", 2), two?.toString("latin1", 2)], ["uno", "dos"]);
  }
});

test("random datagrams never throw, and a good one behind them is received", () => {
  for (const codec of [lengthPrefix(), lengthPrefix({ bytes: 1 }), varintPrefix(), netstring(), cobs(), slip()]) {
    const decoder = decoderOf(codec);
    const writer = new ByteWriter();
    codec.encode(Buffer.from("hola"), writer);
    const good = Buffer.concat(writer.take().chunks);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (garbage) => {
        decoder.decode(datagram(garbage));
        assert.equal(String(decoder.decode(datagram(good))?.message), "hola");
      }),
    );
  }
});

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
import { chain, FrameCodec } from "../../core/framing/frame-codec.ts";
import type { Boundary, Codec } from "../../core/framing/codec.ts";
import { defineCodec } from "../../core/framing/define-codec.ts";
import { bytes } from "../../core/framing/formats/bytes.ts";
import { json } from "../../core/framing/formats/json.ts";
import { ManualDatagrams, manualNetwork } from "../../../test/fixtures/manual-datagrams.ts";
import { expectError } from "../../testing/expect-error.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import type { DiagnosticEvent } from "../operation/diagnostics.ts";
import { bindOver } from "./bind.ts";
import { DatagramDecoder } from "./framed-datagrams.ts";
import type { DatagramSocket, FramedDatagrams } from "./public.ts";

const STRANGER = "udp://192.0.2.9:9";

/** Notes what was sent at the moment of the call: afterwards the memory is used again. */
class Recorder extends ManualDatagrams {
  readonly texts: string[] = [];

  override send(...[batch, done]: Parameters<ManualDatagrams["send"]>): void {
    for (const { data } of batch) this.texts.push(Buffer.from(data).toString());
    super.send(batch, done);
  }
}

interface Scene {
  readonly clock: ManualClock;
  readonly transport: Recorder;
  readonly box: DatagramSocket;
  readonly messages: FramedDatagrams<string>;
}

async function opened(): Promise<Scene> {
  const clock = new ManualClock({ defer: (callback) => void setImmediate(callback) });
  const transport = new Recorder();
  const box = await bindOver(manualNetwork(clock, [transport]), "udp://127.0.0.1:0");
  return { clock, transport, box, messages: box.framed(lines()) };
}

test("one message, one datagram", async () => {
  const { transport, messages } = await opened();
  transport.immediate = true;
  await messages.send("hola", "udp://127.0.0.1:2000");
  await messages.send("x".repeat(20_000), "udp://127.0.0.1:2000");
  assert.deepEqual(transport.texts, ["hola\n", `${"x".repeat(20_000)}\n`]);
  transport.deliver(["adiós\n"]);
  const { message, from } = await messages.receive();
  assert.deepEqual([message, String(from)], ["adiós", "udp://127.0.0.1:2000"]);
});

test("sends that wait at the same time do not share memory", async () => {
  const { transport, messages } = await opened();
  const sends = ["uno", "dos", "tres"].map((word) => messages.send(word, "udp://127.0.0.1:2000"));
  transport.immediate = true;
  transport.decide();
  await Promise.all(sends);
  await messages.send("cuatro", "udp://127.0.0.1:2000");
  assert.deepEqual(transport.texts, ["uno\n", "dos\n", "tres\n", "cuatro\n"]);
});

test("sendMany: each message is a datagram, whatever their sizes, in order", async () => {
  const { transport, messages } = await opened();
  transport.immediate = true;
  // Beyond the blocks of the writer, and beyond what is passed on by reference.
  const sent = [1, 0, 900, 900, 3000, 40_000, 2, 17_000, 0, 5].map((count, index) => String(index).repeat(count));
  const report = await messages.sendMany(sent, "udp://127.0.0.1:2000");
  assert.deepEqual(report, { sent: 10, failures: [] });
  assert.deepEqual(
    transport.texts,
    sent.map((text) => `${text}\n`),
  );
  assert.deepEqual(await messages.sendMany([], "udp://127.0.0.1:2000"), { sent: 0, failures: [] });
});

test("sendMany sends nothing when a message has no form or does not fit, and nothing of it stays behind", async () => {
  const { transport, messages } = await opened();
  transport.immediate = true;
  const to = "udp://127.0.0.1:2000";
  await expectError(messages.sendMany(["uno", "two\nlines"], to), {
    code: "FRAME_INVALID",
    op: "sendMany",
    side: "local",
  });
  const tooLarge = messages.sendMany(["uno", "x".repeat(65_507)], to);
  await expectError(tooLarge, { code: "DATAGRAM_TOO_LARGE", op: "sendMany", side: "local" });
  const stopped = messages.sendMany(["uno"], to, { signal: AbortSignal.abort(new Error("no")) });
  await assert.rejects(stopped, /no/);
  await messages.sendMany(["dos"], to);
  assert.deepEqual(transport.texts, ["dos\n"]);
});

test("sendMany does not share memory with what is sent while it waits", async () => {
  const { transport, messages } = await opened();
  const to = "udp://127.0.0.1:2000";
  const sends = [messages.sendMany(["uno", "dos"], to), messages.sendMany(["tres"], to)];
  transport.immediate = true;
  transport.decide();
  await Promise.all(sends);
  assert.deepEqual(transport.texts, ["uno\n", "dos\n", "tres\n"]);
});

test("what cannot be sent is refused, and nothing of it stays behind", async () => {
  const { transport, messages, box } = await opened();
  transport.immediate = true;
  await expectError(messages.send("a\nb", STRANGER), { code: "FRAME_INVALID", side: "local" });
  await expectError(messages.send("hola"), { code: "OPTION_INVALID" });
  const prefixed = box.framed(varintPrefix());
  await expectError(prefixed.send(Buffer.alloc(65_507), STRANGER), { code: "DATAGRAM_TOO_LARGE" });
  await messages.send("hola", STRANGER);
  assert.deepEqual(transport.texts, ["hola\n"]);
});

test("what strangers send is passed over by every way of receiving", async () => {
  const { transport, messages } = await opened();
  const received = messages.receive();
  transport.deliver(["rubbish", "", "a\nb\n"], STRANGER);
  transport.deliver(["uno\n"]);
  assert.equal((await received).message, "uno");
  assert.equal(messages.messagesDropped, 3);

  transport.deliver(["rubbish"], STRANGER);
  transport.deliver(["dos\n", "tres\n"]);
  const seen: string[] = [];
  for await (const { message } of messages) {
    seen.push(message);
    if (seen.length === 2) break;
  }
  assert.deepEqual(seen, ["dos", "tres"]);

  const batches = messages.batches();
  const batch = batches.next();
  transport.deliver(["rubbish"], STRANGER);
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  transport.deliver(["cuatro\n", "rubbish", "cinco\n"]);
  const { value } = (await batch) as { readonly value: readonly { readonly message: string }[] };
  assert.deepEqual(
    value.map(({ message }) => message),
    ["cuatro", "cinco"],
  );
  await batches.return?.();
  assert.equal(messages.messagesDropped, 6);
});

test("a time-out is for the whole call, whatever strangers send meanwhile", async () => {
  const { clock, transport, messages } = await opened();
  const received = expectError(messages.receive({ timeoutMs: 100 }), { code: "TIMEOUT", op: "receive" });
  for (let turn = 0; turn < 4; turn += 1) {
    await clock.advance(25);
    transport.deliver(["rubbish"], STRANGER);
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
  assert.match((await received).message, /within 100 ms/);
  transport.deliver(["hola\n"]);
  assert.equal((await messages.receive({ timeoutMs: 100 })).message, "hola");
});

test("cancelling consumes nothing, and comes with the signal's reason", async () => {
  const { transport, messages } = await opened();
  const stop = new AbortController();
  const received = messages.receive({ signal: stop.signal });
  stop.abort("enough");
  await assert.rejects(received, (reason) => reason === "enough");
  await assert.rejects(messages.receive({ signal: stop.signal }), (reason) => reason === "enough");
  transport.deliver(["hola\n"]);
  assert.equal((await messages.receive()).message, "hola");
});

test("closing ends iterations and rejects calls", async () => {
  const { box, messages } = await opened();
  const step = messages[Symbol.asyncIterator]().next();
  const received = expectError(messages.receive(), { code: "CLOSED" });
  await messages.close();
  assert.deepEqual(await step, { done: true, value: undefined });
  await received;
  await expectError(messages.send("hola", STRANGER), { code: "CLOSED" });
  assert.deepEqual(await box.closed, { how: "closed" });
});

test("a datagram socket can be shared: each datagram goes to who asks first", async () => {
  const { transport, box, messages } = await opened();
  transport.deliver(["one\n", "two\n"]);
  assert.equal(String((await box.receive()).data), "one\n");
  assert.equal((await messages.receive()).message, "two");
});

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

test("collect gathers messages for a time of the network's clock; what is none does not count", async () => {
  const { clock, transport, messages } = await opened();
  const gathering = messages.collect({ forMs: 500, max: 3 });
  transport.deliver(["no line", "uno\n"]);
  await clock.advance(400);
  transport.deliver(["dos\ntres\n", "cuatro\n"], STRANGER);
  await clock.advance(100);
  transport.deliver(["too late\n"]);
  assert.deepEqual(
    (await gathering).map((each) => [each.message, each.from.port]),
    [
      ["uno", 2000],
      ["cuatro", 9],
    ],
  );
  assert.equal(messages.messagesDropped, 2);
  assert.equal(clock.pending, 0);
  const controller = new AbortController();
  const given = messages.collect({ forMs: 500, signal: controller.signal });
  transport.deliver(["cinco\n"]);
  await clock.turn();
  controller.abort(new Error("no"));
  await assert.rejects(given, { message: "no" });
  for (const text of ["too late", "cinco"]) assert.equal((await messages.receive()).message, text);
});

test("collect under strict tells of a loss, and gives back what it had", async () => {
  const clock = new ManualClock({ defer: (callback) => void setImmediate(callback) });
  const transport = new ManualDatagrams();
  const limits = { maxReceiveQueueDatagrams: 2 };
  const box = await bindOver(manualNetwork(clock, [transport]), "udp://127.0.0.1:0", { limits, overflow: "strict" });
  transport.deliver(["1", "2", "3"]);
  await expectError(box.collect({ forMs: 100 }), { code: "QUEUE_FULL", op: "collect" });
  assert.deepEqual(
    (await box.collect({ forMs: 0, max: 2 })).map(({ data }) => String(data)),
    ["1", "2"],
  );
  assert.equal(clock.pending, 0);
});

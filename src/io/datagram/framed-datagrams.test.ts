import assert from "node:assert/strict";
import { test } from "node:test";
import { lines } from "../../core/framing/boundaries/lines.ts";
import { varintPrefix } from "../../core/framing/boundaries/varint-prefix.ts";
import { ManualDatagrams, manualNetwork } from "../../../test/fixtures/manual-datagrams.ts";
import { expectError } from "../../testing/expect-error.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { bindOver } from "./bind.ts";
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

import assert from "node:assert/strict";
import { test } from "node:test";
import { call, contract, event, type StatelessClient, connectStateless, typeOnly } from "../../protocol.ts";
import {
  decodeDatagram,
  encodeAnswer,
  encodeCall,
  encodeEvent,
  ERROR,
  RESULT,
  RETRY,
} from "../../core/stateless/datagram.ts";
import { Address } from "../../core/address/address.ts";
import { ZocaloError } from "../../core/errors.ts";
import { expectError, reasonOf } from "../../testing/expect-error.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { ManualDatagrams, manualNetwork } from "../../../test/fixtures/manual-datagrams.ts";
import type { Random } from "../network/network.ts";
import type { ConnectStatelessOptions } from "./settings.ts";

/* Each datagram of a client, one by one, in a time that the test moves. */

const SERVER = "udp://127.0.0.1:2000";
const idempotent = { idempotent: true } as const;
const box = contract("box", "1.0.0", {
  server: { ask: call(typeOnly<number>(), typeOnly<number>(), idempotent), note: event<string>() },
});
const head = { codec: 2, hash: BigInt(`0x${box.hash}`) };

/** The server of the test: it sees what is sent, and says what it likes. */
class Scene {
  readonly clock: ManualClock = new ManualClock({ defer: (callback) => void setImmediate(callback) });
  readonly transport: ManualDatagrams = new ManualDatagrams({ remote: SERVER });
  #sink: Parameters<ManualDatagrams["start"]>[0] | undefined;

  async client(options: ConnectStatelessOptions = {}, random?: Random): Promise<StatelessClient<typeof box.server>> {
    const start = this.transport.start.bind(this.transport);
    this.transport.start = (sink) => {
      this.#sink = sink;
      start(sink);
    };
    this.transport.immediate = true;
    const manual = manualNetwork(this.clock, [this.transport]);
    const network = random === undefined ? manual : { ...manual, random };
    return await connectStateless(box, SERVER, { codec: "json", network, ...options });
  }

  /** The calls that were sent, in order. */
  get calls() {
    return this.transport.batches.flat().flatMap(({ data }) => {
      const datagram = decodeDatagram(Buffer.from(data));
      return datagram?.type === 2 ? [datagram] : [];
    });
  }

  answer(bytes: Buffer, from: string = SERVER): void {
    this.#sink?.received([{ data: bytes, from: Address.parse(from) }]);
  }

  result(id: bigint, value: number, from?: string): void {
    this.answer(encodeAnswer(RESULT, head, id, placeOf(JSON.stringify(value))), from);
  }
}

function placeOf(text: string) {
  const bytes = Buffer.from(text, "latin1");
  return { bytes, start: 0, end: bytes.length };
}

test("a call is sent again with pauses that double, with the time that remains, until its time is up", async () => {
  const scene = new Scene();
  const client = await scene.client();
  const error = reasonOf(client.remote.ask(1, { timeoutMs: 12_000 }));
  await scene.clock.advance(12_000);
  const timedOut = await error;
  assert.ok(timedOut instanceof ZocaloError);
  assert.deepEqual([timedOut.code, timedOut.outcome, timedOut.op], ["TIMEOUT", "unknown", "ask"]);
  assert.match(timedOut.detail, /sent 5 times/);
  // Chance is one half in this network: a quarter more than 1, 2, 4 seconds.
  assert.deepEqual(
    scene.calls.map(({ remainingMs }) => 12_000 - remainingMs),
    // The pause of 10 seconds would outlast the call: the last time leaves a second for the answer.
    [0, 1250, 3750, 8750, 11_000],
  );
  assert.equal(new Set(scene.calls.map(({ id }) => id)).size, 1);
  assert.equal(client.stats.retransmissions, 4);
  await client.close({ timeoutMs: 0 });
  assert.equal(scene.clock.pending, 0);
});

// The rules are those of docs/semantics.md.
test("rule D12: the id of a request is 64 bits from the unpredictable source of the network", async () => {
  const scene = new Scene();
  const asked: number[] = [];
  const random = {
    next: () => 0.5,
    bytes(count: number) {
      asked.push(count);
      return Uint8Array.from({ length: count }, (_, index) => (asked.length << 4) | index);
    },
  };
  const client = await scene.client({}, random);
  for (let count = 0; count < 3; count += 1) void client.remote.ask(count);
  await scene.clock.turn();
  assert.deepEqual(
    scene.calls.map(({ id }) => id),
    [0x1011121314151617n, 0x2021222324252627n, 0x3031323334353637n],
  );
  assert.deepEqual(asked, [8, 8, 8]);
  await client.close({ timeoutMs: 0 });
});

test("rule D12: an answer counts once, and only with the right id from the right source", async () => {
  const scene = new Scene();
  const client = await scene.client();
  const asked = client.remote.ask(1);
  await scene.clock.turn();
  const { id } = scene.calls[0] as { readonly id: bigint };
  scene.result(id + 1n, 13);
  scene.result(id, 14, "udp://127.0.0.1:2001");
  scene.result(id, 15, "udp://127.0.0.2:2000");
  scene.answer(encodeAnswer(RESULT, { ...head, hash: head.hash ^ 1n }, id, placeOf("16")));
  scene.answer(encodeAnswer(RESULT, { ...head, codec: 1 }, id, placeOf("17")));
  scene.answer(encodeCall(head, { id, method: 0, remainingMs: 1, cookie: Buffer.alloc(0) }, placeOf("18")));
  scene.answer(encodeEvent(head, 0, placeOf("19")));
  scene.answer(Buffer.from("noise"));
  scene.result(id, 2);
  scene.result(id, 20);
  assert.equal(await asked, 2);
  await scene.clock.turn();
  assert.equal(client.stats.ignored, 9);
  await client.close({ timeoutMs: 0 });
});

test("a cookie is shown at once, by this call and by the next", async () => {
  const scene = new Scene();
  const client = await scene.client();
  const asked = client.remote.ask(1);
  await scene.clock.turn();
  const { id } = scene.calls[0] as { readonly id: bigint };
  scene.answer(encodeAnswer(RETRY, head, id, placeOf("cookie")));
  await scene.clock.turn();
  assert.deepEqual(
    scene.calls.map(({ cookie }) => String(cookie)),
    ["", "cookie"],
  );
  scene.result(id, 5);
  assert.equal(await asked, 5);
  void client.remote.ask(2);
  assert.equal(String(scene.calls[2]?.cookie), "cookie");
  await client.close({ timeoutMs: 0 });
});

test("calls beyond maxCalls wait for their turn, and those beyond maxWaitingCalls are refused", async () => {
  const scene = new Scene();
  const client = await scene.client({ limits: { maxCalls: 1, maxWaitingCalls: 2 } });
  const first = client.remote.ask(1);
  const second = client.remote.ask(2);
  const third = reasonOf(client.remote.ask(3, { timeoutMs: 10 }));
  await expectError(client.remote.ask(4), { code: "QUEUE_FULL", op: "ask", outcome: "none" });
  assert.deepEqual([client.stats.calls, client.stats.waiting, scene.calls.length], [1, 2, 1]);
  await scene.clock.advance(10);
  const error = await third;
  assert.ok(error instanceof ZocaloError);
  assert.deepEqual([error.code, error.outcome], ["TIMEOUT", "none"]);
  scene.result((scene.calls[0] as { readonly id: bigint }).id, 1);
  assert.equal(await first, 1);
  assert.equal(scene.calls.length, 2);
  scene.result((scene.calls[1] as { readonly id: bigint }).id, 2);
  assert.equal(await second, 2);
  assert.deepEqual([client.stats.calls, client.stats.waiting], [0, 0]);
  await client.close({ timeoutMs: 0 });
});

test("nobody listens: the call goes on, and its time-out says why", async () => {
  const scene = new Scene();
  const client = await scene.client();
  const error = reasonOf(client.remote.ask(1, { timeoutMs: 5000 }));
  await scene.clock.turn();
  const refused = new ZocaloError("CONNECTION_REFUSED", { op: "receive" });
  scene.transport.fail(refused);
  await scene.clock.advance(5000);
  const timedOut = await error;
  assert.ok(timedOut instanceof ZocaloError && timedOut.cause instanceof ZocaloError);
  assert.deepEqual([timedOut.code, timedOut.cause.code], ["TIMEOUT", "CONNECTION_REFUSED"]);
  // At 0, after pauses of 1 and 2 seconds, and one second before the end.
  assert.equal(scene.calls.length, 4);
  await client.close({ timeoutMs: 0 });
});

test("a datagram socket that is lost ends the calls", async () => {
  const scene = new Scene();
  const client = await scene.client();
  const asked = reasonOf(client.remote.ask(1));
  await scene.clock.turn();
  scene.transport.fail(new ZocaloError("SYSTEM_ERROR", { op: "receive" }), true);
  const error = await asked;
  assert.ok(error instanceof ZocaloError);
  assert.deepEqual([error.code, error.outcome], ["CLOSED", "unknown"]);
  assert.equal((await client.closed).how, "failed");
});

test("answers that make no sense are errors of the peer", async () => {
  const scene = new Scene();
  const client = await scene.client();
  const answers = [encodeAnswer(RESULT, head, 0n, placeOf("{")), encodeAnswer(ERROR, head, 0n, placeOf("nonsense"))];
  const codes: unknown[] = [];
  for (const bytes of answers) {
    const reason = reasonOf(client.remote.ask(1));
    const { id } = scene.calls.at(-1) as { readonly id: bigint };
    bytes.writeBigUInt64BE(id, 13);
    scene.answer(bytes);
    codes.push(((await reason) as { readonly code: unknown }).code);
  }
  assert.deepEqual(codes, ["FRAME_INVALID", "INTERNAL"]);
  await client.close({ timeoutMs: 0 });
});

test("close waits for calls, takes no new ones, and cuts what is left; abort waits for nothing", async () => {
  const scene = new Scene();
  const client = await scene.client();
  const [asked, late] = [client.remote.ask(1), reasonOf(client.remote.ask(2))];
  await scene.clock.turn();
  const report = client.close({ timeoutMs: 3000 });
  const refused = (await reasonOf(client.remote.ask(3))) as ZocaloError;
  assert.deepEqual([refused.code, refused.outcome], ["CLOSED", "none"]);
  scene.result(scene.calls[0]?.id ?? 0n, 7);
  assert.equal(await asked, 7);
  await scene.clock.advance(3000);
  const cut = (await late) as ZocaloError;
  assert.deepEqual([cut.code, cut.outcome], ["CLOSED", "unknown"]);
  assert.deepEqual(await report, { finished: 1, cut: 1, durationMs: 3000 });
  assert.deepEqual([await client.closed, scene.clock.pending], [{ how: "closed" }, 0]);

  for (const closesFirst of [false, true]) {
    const aborted = await new Scene().client();
    const given = reasonOf(aborted.remote.ask(1));
    const first = closesFirst ? aborted.close() : undefined;
    aborted.abort();
    assert.equal(((await given) as ZocaloError).code, "CLOSED");
    assert.equal((await aborted.closed).how, "aborted");
    const { finished, cut: many } = await (first ?? aborted.close());
    assert.deepEqual([finished, many], [0, 1]);
  }
});

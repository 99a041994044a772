import assert from "node:assert/strict";
import { test } from "node:test";
import { Address } from "../../core/address/address.ts";
import { ZocaloError } from "../../core/errors.ts";
import { decodeDatagram, encodeAnswer, RESULT } from "../../core/stateless/datagram.ts";
import { call, contract, connectStateless, typeOnly } from "../../protocol.ts";
import { expectError } from "../../testing/expect-error.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { ManualDatagrams, manualNetwork } from "../../../test/fixtures/manual-datagrams.ts";
import type { ConnectStatelessOptions } from "../stateless/settings.ts";

/* Rule B1 (docs/semantics.md) for a client over datagrams, whose socket is connected: a server that moves is found again. */

const box = contract("box", "1.0.0", {
  server: { ask: call(typeOnly<number>(), typeOnly<number>(), { idempotent: true }) },
});
const head = { codec: 2, hash: BigInt(`0x${box.hash}`) };

/** A server: a datagram socket of the client that is connected to it, and answers to what is sent there. */
class Server {
  readonly transport: ManualDatagrams;
  readonly #from: Address;
  #sink: Parameters<ManualDatagrams["start"]>[0] | undefined;

  constructor(ip: string) {
    this.#from = Address.parse(`udp://${ip}:2000`);
    this.transport = new ManualDatagrams({ remote: this.#from.toString() });
    this.transport.immediate = true;
    const start = this.transport.start.bind(this.transport);
    this.transport.start = (sink) => {
      this.#sink = sink;
      start(sink);
    };
  }

  get asked(): number {
    return this.transport.batches.flat().length;
  }

  /** Answers what was asked last. */
  answer(value: number): void {
    const datagram = decodeDatagram(Buffer.from(this.transport.batches.flat().at(-1)?.data ?? []));
    assert.equal(datagram?.type, 2);
    const { id } = datagram as { readonly id: bigint };
    const bytes = Buffer.from(JSON.stringify(value), "latin1");
    const data = encodeAnswer(RESULT, head, id, { bytes, start: 0, end: bytes.length });
    this.#sink?.received([{ data, from: this.#from }]);
  }
}

async function scene(first: readonly string[], options: ConnectStatelessOptions = {}) {
  const servers = [new Server("10.0.0.1"), new Server("10.0.0.2")] as const;
  const clock = new ManualClock({ defer: (callback) => void setImmediate(callback) });
  let addresses: readonly string[] | Error = first;
  let lookUps = 0;
  const transports = servers.map(({ transport }) => transport);
  const network = manualNetwork(clock, transports, () => {
    lookUps += 1;
    return addresses instanceof Error ? Promise.reject(addresses) : Promise.resolve(addresses);
  });
  const client = await connectStateless(box, "udp://box.example:2000", { codec: "json", network, ...options });
  const lookUpsBefore = lookUps;
  const ask = async (server: Server): Promise<void> => {
    const before = server.asked;
    const asked = client.remote.ask(1);
    while (server.asked === before) await clock.turn();
    server.answer(7);
    assert.equal(await asked, 7);
  };
  return {
    client,
    clock,
    servers,
    ask,
    move: (next: readonly string[] | Error) => {
      addresses = next;
    },
    lookUps: () => lookUps - lookUpsBefore,
  };
}

test("rule B1: a name is looked up again when something is sent after dnsMaxAgeMs, and not on each send", async () => {
  const { client, clock, servers, ask, move, lookUps } = await scene(["10.0.0.1"]);
  const [old, next] = servers;
  move(["10.0.0.2"]);
  await ask(old);
  await clock.advance(59_999);
  await ask(old);
  assert.deepEqual([lookUps(), String(client.remoteAddress)], [0, "udp://10.0.0.1:2000"]);
  await clock.advance(1);
  const asked = client.remote.ask(2);
  // This one still went to the address of before; it is asked again, and there the answer comes from.
  await clock.turn();
  assert.equal(old.asked, 3);
  while (!old.transport.closed) await clock.turn();
  assert.equal(String(client.remoteAddress), "udp://10.0.0.2:2000");
  await clock.advance(2_000);
  assert.ok(next.asked >= 1);
  next.answer(4);
  assert.equal(await asked, 4);
  await ask(next);
  assert.equal(lookUps(), 2, "one look-up to see that it has moved, one to open the datagram socket");
  assert.equal(client.signal.aborted, false);
  await client.close({ timeoutMs: 0 });
  assert.deepEqual([(await client.closed).how, next.transport.closed, clock.pending], ["closed", true, 0]);
});

test("a server that is still among the addresses of its name is kept; so is one whose name cannot be looked up", async () => {
  for (const addresses of [["10.0.0.2", "10.0.0.1"], new ZocaloError("NAME_LOOKUP_FAILED", { op: "resolve" })]) {
    const { client, clock, servers, ask, move, lookUps } = await scene(["10.0.0.1"]);
    const [old] = servers;
    move(addresses);
    await clock.advance(60_000);
    await ask(old);
    const after = lookUps();
    assert.ok(after >= 1);
    await ask(old);
    assert.equal(lookUps(), after);
    await clock.advance(60_000);
    await ask(old);
    assert.equal(lookUps(), 2 * after);
    assert.equal(old.transport.closed, false);
    await client.close({ timeoutMs: 0 });
  }
});

test("a client that is closed meanwhile leaves no datagram socket, and one that is unreferenced stays so", async () => {
  const closed = await scene(["10.0.0.1"]);
  closed.move(["10.0.0.2"]);
  await closed.clock.advance(60_000);
  const asked = closed.client.remote.ask(1);
  await closed.client.close({ timeoutMs: 0 });
  await expectError(asked, { code: "CLOSED" });
  while (!closed.servers[1].transport.closed) await closed.clock.turn();
  assert.equal(closed.servers[0].transport.closed, true);

  const quiet = await scene(["10.0.0.1"]);
  quiet.client.interop.unref();
  quiet.move(["10.0.0.2"]);
  await quiet.clock.advance(60_000);
  await quiet.ask(quiet.servers[0]);
  while (!quiet.servers[0].transport.closed) await quiet.clock.turn();
  assert.deepEqual(quiet.servers[1].transport.calls, ["unref"]);
  await quiet.ask(quiet.servers[1]);
  await quiet.client.close({ timeoutMs: 0 });
});

test("with a fixed port, and without a name, nothing is looked up again", async () => {
  const { client, clock, servers, ask, lookUps } = await scene(["10.0.0.1"], { localAddress: "udp://127.0.0.1:1000" });
  await clock.advance(120_000);
  await ask(servers[0]);
  assert.equal(lookUps(), 0);
  await client.close({ timeoutMs: 0 });
});

import assert from "node:assert/strict";
import type dgram from "node:dgram";
import { once } from "node:events";
import os from "node:os";
import { test } from "node:test";
import { Address } from "../core/address/address.ts";
import type { Datagram, DatagramTransport, SendFailure, TransportBindOptions } from "../io/network/datagrams.ts";
import { assertError, expectError, reasonOf } from "../testing/expect-error.ts";
import { receiveSwitch } from "./native-handle.ts";
import { bindTransport } from "./bind-transport.ts";
import { multicastInterface } from "./zone.ts";
import { hasReusePort } from "./listen-transport.ts";

const PLAIN: TransportBindOptions = {
  remote: undefined,
  reuseAddress: false,
  reusePort: false,
  ipv6Only: false,
  receiveBufferBytes: undefined,
  sendBufferBytes: undefined,
  signal: undefined,
};

/** Collects what a transport delivers. */
function collect(transport: DatagramTransport): { datagrams: Datagram[]; batches: number[]; errors: unknown[] } {
  const collected = { datagrams: [] as Datagram[], batches: [] as number[], errors: [] as unknown[] };
  transport.start({
    received: (batch) => {
      collected.datagrams.push(...batch);
      collected.batches.push(batch.length);
    },
    failed: (error, fatal) => void collected.errors.push([error, fatal]),
  });
  return collected;
}

function sent(
  transport: DatagramTransport,
  payloads: readonly (string | Uint8Array)[],
  to: Address | undefined,
): Promise<readonly SendFailure[] | undefined> {
  const batch = payloads.map((data) => ({ data: Buffer.from(data), to }));
  return new Promise((resolve) => transport.send(batch, resolve));
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

test("what arrives in one turn of the event loop is delivered together, from one address object a sender", async () => {
  const [a, b] = await Promise.all([0, 0].map(() => bindTransport(Address.parse("udp://127.0.0.1:0"), PLAIN)));
  assert.ok(a !== undefined && b !== undefined);
  const { datagrams, batches } = collect(b);
  assert.equal(
    await sent(
      a,
      Array.from({ length: 20 }, (_, index) => String(index)),
      b.localAddress,
    ),
    undefined,
  );
  await until(() => datagrams.length === 20);
  assert.ok(batches.length < 20, `${batches.length} batches`);
  assert.deepEqual(
    datagrams.map(({ data }) => data.toString()),
    Array.from({ length: 20 }, (_, index) => String(index)),
  );
  assert.equal(new Set(datagrams.map(({ from }) => from)).size, 1);
  assert.ok(datagrams[0]?.from.equals(a.localAddress));
  await Promise.all([a.close(), b.close(), b.close()]);
});

test("one datagram that is refused does not hold up those behind it", async () => {
  const transport = await bindTransport(Address.parse("udp://127.0.0.1:0"), PLAIN);
  const { datagrams } = collect(transport);
  const failures = await new Promise<readonly SendFailure[] | undefined>((resolve) => {
    const to = transport.localAddress;
    const item = (data: string | Uint8Array, address = to): { data: Uint8Array; to: Address } => ({
      data: Buffer.from(data),
      to: address,
    });
    transport.send(
      [
        item("0"),
        item(new Uint8Array(70_000)),
        item("2"),
        item("x", to.with({ port: 0 })),
        item("4"),
        item("x", to.with({ host: "::1" })),
      ],
      resolve,
    );
  });
  assert.deepEqual(
    failures?.map(({ index }) => index),
    [1, 3, 5],
  );
  const codes = failures.map(({ error }) => (error as { code: string }).code);
  assert.deepEqual(codes, ["DATAGRAM_TOO_LARGE", "SYSTEM_ERROR", "OPTION_INVALID"]);
  await until(() => datagrams.length === 3);
  assert.deepEqual(
    datagrams.map(({ data }) => data.toString()),
    ["0", "2", "4"],
  );
  await transport.close();
  const after = await sent(transport, ["x"], Address.parse("udp://127.0.0.1:9"));
  assertError(after?.[0]?.error, { code: "CLOSED", op: "send" });
});

test("a socket for both families speaks with IPv4 peers by their IPv4 addresses", async () => {
  const both = await bindTransport(Address.parse("udp://[::]:0"), PLAIN);
  const four = await bindTransport(Address.parse("udp://127.0.0.1:0"), PLAIN);
  const [atBoth, atFour] = [collect(both), collect(four)];
  await sent(four, ["hola"], Address.parse(`udp://127.0.0.1:${both.localAddress.port}`));
  await until(() => atBoth.datagrams.length === 1);
  assert.equal(String(atBoth.datagrams[0]?.from), String(four.localAddress));
  await sent(both, ["eco"], four.localAddress);
  await until(() => atFour.datagrams.length === 1);
  const peer = { ...PLAIN, remote: four.localAddress };
  const connected = await bindTransport(Address.parse("udp://[::]:0"), peer);
  assert.equal(String(connected.remoteAddress), String(four.localAddress));
  assert.equal(connected.localAddress.family, 4);
  await sent(connected, ["uno"], undefined);
  await until(() => atFour.datagrams.length === 2);
  await Promise.all([both.close(), four.close(), connected.close()]);
});

test("IPv6 only means IPv6 only", async () => {
  const six = await bindTransport(Address.parse("udp://[::]:0"), { ...PLAIN, ipv6Only: true });
  const four = await bindTransport(Address.parse(`udp://0.0.0.0:${six.localAddress.port}`), PLAIN);
  await Promise.all([six.close(), four.close()]);
});

test("pause leaves datagrams in the kernel, resume fetches them", async () => {
  const [a, b] = await Promise.all([0, 0].map(() => bindTransport(Address.parse("udp://127.0.0.1:0"), PLAIN)));
  assert.ok(a !== undefined && b !== undefined);
  const { datagrams } = collect(b);
  assert.equal(b.canPause, true);
  b.pause();
  await sent(a, ["0", "1"], b.localAddress);
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(datagrams.length, 0);
  b.resume();
  await until(() => datagrams.length === 2);
  await Promise.all([a.close(), b.close()]);
  b.resume();
  assert.equal(receiveSwitch({} as dgram.Socket), undefined);
});

test("who closes the socket beneath is reported as the end", async () => {
  const transport = await bindTransport(Address.parse("udp://127.0.0.1:0"), PLAIN);
  const { errors } = collect(transport);
  const native = transport.native as dgram.Socket;
  native.close();
  await once(native, "close");
  const [error, fatal] = errors[0] as [unknown, boolean];
  assertError(error, { code: "CLOSED", op: "receive" });
  assert.equal(fatal, true);
  assert.throws(
    () => transport.setTtl(4),
    (thrown: { op?: string }) => thrown.op === "setTtl",
  );
  await transport.close();
});

test("opening fails with the code of the reason", async () => {
  const open = (local: string, options: Partial<TransportBindOptions> = {}): Promise<DatagramTransport> =>
    bindTransport(Address.parse(local), { ...PLAIN, ...options });
  const first = await open("udp://127.0.0.1:0");
  await expectError(open(String(first.localAddress)), { code: "ADDRESS_IN_USE", op: "bind" });
  await expectError(open("udp://192.0.2.77:0"), {
    code: "ADDRESS_NOT_AVAILABLE",
    op: "bind",
    local: "udp://192.0.2.77:0",
  });
  await expectError(open("udp://127.0.0.1:0", { receiveBufferBytes: -1 }), { code: "OPTION_INVALID", op: "bind" });
  const reason = new Error("no");
  assert.equal(await reasonOf(open("udp://127.0.0.1:0", { signal: AbortSignal.abort(reason) })), reason);
  const shared = await open("udp://127.0.0.1:0", { reuseAddress: true });
  await (await open(String(shared.localAddress), { reuseAddress: true })).close();
  if (hasReusePort()) {
    const port = await open("udp://127.0.0.1:0", { reusePort: true });
    await (await open(String(port.localAddress), { reusePort: true })).close();
    await port.close();
  } else await expectError(open("udp://127.0.0.1:0", { reusePort: true }), { code: "UNSUPPORTED", op: "bind" });
  await Promise.all([first.close(), shared.close()]);
});

test("an interface is named by its name or by one of its addresses", () => {
  const context = { op: "joinGroup" };
  const loopback = Object.entries(os.networkInterfaces()).find(([, list]) =>
    list?.some(({ address }) => address === "127.0.0.1"),
  );
  const [name = "", addresses = []] = loopback ?? [];
  assert.equal(multicastInterface(name, 4, context), "127.0.0.1");
  assert.equal(multicastInterface("127.0.0.1", 4, context), "127.0.0.1");
  if (addresses.some(({ address }) => address === "::1") && process.platform !== "win32") {
    assert.equal(multicastInterface(name, 6, context), `::%${name}`);
    assert.equal(multicastInterface("::1", 6, context), `::%${name}`);
    assert.equal(multicastInterface("::1", 4, context), "127.0.0.1");
  }
  for (const [wrong, family] of [
    ["nope", 4],
    ["192.0.2.77", 6],
  ] as const) {
    assert.throws(() => multicastInterface(wrong, family, context), { code: "ADDRESS_NOT_AVAILABLE", op: "joinGroup" });
  }
});

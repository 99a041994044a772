import assert from "node:assert/strict";
import net from "node:net";
import { test } from "node:test";
import { Address } from "../../core/address/address.ts";
import { ConnectError, TimeoutError, UsageError, ZocaloError } from "../../core/errors.ts";
import { connect, listen, type Network, nodeNetwork, serve } from "../../index.ts";
import { expectError, reasonOf } from "../../testing/expect-error.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { pending } from "../../testing/stream/check.ts";
import type { Sockets } from "../network/network.ts";
import { portOf } from "../../../test/fixtures/port-of.ts";

/** A network with some of the kernel's calls replaced, on a clock that the test moves. */
function networkWith(replaced: Partial<Sockets>): Network & { readonly clock: ManualClock } {
  const clock = new ManualClock(nodeNetwork.clock);
  return { ...nodeNetwork, clock, sockets: { ...nodeNetwork.sockets, ...replaced } };
}

/** An attempt that nobody answers; it tells when it is given up. */
function blackhole(givenUp: unknown[] = []): Sockets["connect"] {
  return (_target, { signal }) =>
    new Promise((_resolve, reject) => {
      signal?.addEventListener("abort", () => {
        givenUp.push(signal.reason);
        reject(signal.reason as Error);
      });
    });
}

test("one time-out over everything, 30,000 ms by default; the attempt is given up", async () => {
  for (const [timeoutMs, limitMs] of [
    [undefined, 30_000],
    [5, 5],
  ] as const) {
    const givenUp: unknown[] = [];
    const network = networkWith({ connect: blackhole(givenUp) });
    const connecting = pending(connect("tcp://192.0.2.1:7", { network, timeoutMs }));
    await network.clock.advance(limitMs - 1);
    assert.deepEqual(givenUp, []);
    await network.clock.advance(1);
    const expected = { code: "TIMEOUT", op: "connect", outcome: "none", remote: "tcp://192.0.2.1:7" } as const;
    const error = await expectError(connecting, expected);
    assert.deepEqual(givenUp, [error]);
    assert.equal(network.clock.pending, 0);
  }
});

test("an infinite time-out leaves it to the kernel", async () => {
  const network = networkWith({ connect: blackhole() });
  const controller = new AbortController();
  const options = { network, timeoutMs: Number.POSITIVE_INFINITY, signal: controller.signal };
  const connecting = pending(connect("tcp://192.0.2.1:7", options));
  await network.clock.advance(86_400_000);
  const reason = new Error("a day is enough");
  controller.abort(reason);
  assert.equal(await reasonOf(connecting), reason);
});

test("the time-out covers the name service and pauses between attempts", async () => {
  const asleep = networkWith({ resolve: () => new Promise(() => undefined) });
  const resolving = pending(connect("tcp://server.example:7", { network: asleep, timeoutMs: 100 }));
  await asleep.clock.advance(100);
  await expectError(resolving, { code: "TIMEOUT", op: "connect" });

  const refusing = networkWith({
    connect: () => Promise.reject(new ConnectError("CONNECTION_REFUSED", { op: "connect" })),
  });
  const retry = { timeoutMs: 1_000_000, initialDelayMs: 1_000_000, maxDelayMs: 1_000_000 };
  const retrying = pending(connect("tcp://192.0.2.1:7", { network: refusing, timeoutMs: 100, retry }));
  await refusing.clock.advance(100);
  // The pause is drawn: it may have been too long for an attempt within the time, or the time ended it.
  await expectError(retrying, { code: "TIMEOUT", op: "connect" });
});

test("a time-out lists every address that was tried, those that still were under way with their time", async () => {
  const resolve: Sockets["resolve"] = (_host, family) =>
    Promise.resolve(family === 6 ? ["2001:db8::1"] : ["192.0.2.1", "192.0.2.2"]);
  const hole = blackhole();
  const network = networkWith({
    resolve,
    connect: (target, options) =>
      target.host === "192.0.2.1"
        ? Promise.reject(new ConnectError("CONNECTION_REFUSED", { op: "connect", remote: target.toString() }))
        : hole(target, options),
  });
  const connecting = pending(connect("tcp://server.example:7", { network, timeoutMs: 1_000 }));
  await network.clock.turn();
  await network.clock.advance(1_000);
  const error = await expectError(connecting, { code: "TIMEOUT", op: "connect", outcome: "none", type: TimeoutError });
  const attempts = (error as TimeoutError).attempts.map(({ address, startedAfterMs, error: why }) => {
    return [address, startedAfterMs, why.code, why.detail.slice(0, 9)];
  });
  assert.deepEqual(attempts, [
    ["tcp://[2001:db8::1]:7", 0, "TIMEOUT", "no answer"],
    ["tcp://192.0.2.1:7", 250, "CONNECTION_REFUSED", "nothing l"],
    ["tcp://192.0.2.2:7", 250, "TIMEOUT", "no answer"],
  ]);
  assert.equal(
    error.detail,
    "not finished within 1000 ms; give it more time or try again; tried tcp://[2001:db8::1]:7 (no answer within 1000 ms), " +
      "tcp://192.0.2.1:7 (CONNECTION_REFUSED), tcp://192.0.2.2:7 (no answer within 750 ms)",
  );
});

test("a time-out says where it was: at the name service, at one address, in the handshake of TLS, between attempts", async () => {
  const told = async (network: Network & { readonly clock: ManualClock }, address: string, more = {}) => {
    const connecting = pending(connect(address, { network, timeoutMs: 100, ...more }));
    await network.clock.turn();
    await network.clock.advance(100);
    const error = (await expectError(connecting, {
      code: "TIMEOUT",
      op: "connect",
      type: TimeoutError,
    })) as TimeoutError;
    return [error.detail, error.attempts.length] as const;
  };
  const silent = networkWith({ resolve: () => new Promise(() => undefined) });
  const [noName, none] = await told(silent, "tcp://server.example:7");
  assert.match(noName, /^not finished within 100 ms; the name service has not answered/);
  assert.equal(none, 0);

  const [alone, one] = await told(networkWith({ connect: blackhole() }), "tcp://192.0.2.1:7");
  assert.match(alone, /tried tcp:\/\/192\.0\.2\.1:7 \(no answer within 100 ms\)$/);
  assert.equal(one, 1);

  await using listener = await listen("tcp://127.0.0.1:0");
  const [mute] = await told(networkWith({}), String(listener.localAddress.with({ transport: "tls" })));
  assert.match(mute, /\(connected, but the TLS handshake did not finish within 100 ms\)$|\(no answer within/);

  const refused = new ConnectError("CONNECTION_REFUSED", { op: "connect" });
  const retry = { timeoutMs: 1e6, initialDelayMs: 1e6, maxDelayMs: 1e6 };
  const refusing = networkWith({ connect: () => Promise.reject(refused) });
  const [between, last] = await told(refusing, "tcp://192.0.2.1:7", { retry });
  assert.match(between, /tried tcp:\/\/192\.0\.2\.1:7 \(CONNECTION_REFUSED\)$/);
  assert.equal(last, 1);
});

test("a handshake that fails is listed with the address that had answered, behind those that had not", async () => {
  const mute = net.createServer((socket) => socket.end()).listen(0, "127.0.0.1");
  const port = await portOf(mute);
  const resolve: Sockets["resolve"] = (_host, family) => Promise.resolve(family === 6 ? ["::1"] : ["127.0.0.1"]);
  const network = { ...nodeNetwork, sockets: { ...nodeNetwork.sockets, resolve } };
  const failing = connect(`tls://server.example:${port}`, { network });
  const error = await expectError(failing, { code: "TLS_FAILED", op: "connect", type: ConnectError });
  assert.deepEqual(
    (error as ConnectError).attempts.map(({ address, error: why }) => [address, why.code]),
    [
      [`tls://[::1]:${port}`, "CONNECTION_REFUSED"],
      [`tls://127.0.0.1:${port}`, "TLS_FAILED"],
    ],
  );
  mute.close();
});

test("a connection that meets itself is no server: refused, and the port is free for the one that comes up", async () => {
  for (const [host, local] of [
    ["127.0.0.1", "127.0.0.1"],
    ["0.0.0.0", "127.0.0.1"],
    ["localhost", "127.0.0.1"],
    ["[::1]", "[::1]"],
  ]) {
    const closed = await listen(`tcp://${local}:0`);
    const { port } = closed.localAddress;
    await closed.close();
    const calling = connect(`tcp://${host}:${port}`, { localAddress: `${local}:${port}` });
    const error = await expectError(calling, { code: "CONNECTION_REFUSED", side: "remote", type: ConnectError });
    assert.match(error.detail, /^nothing listens there: the connection was made to its own port/);
    assert.equal((error as ConnectError).attempts.length, 1);
    await (await listen(`tcp://${local}:${port}`)).close();
  }
});

test("a connection that meets itself is tried again, from another port", async () => {
  await using listener = await listen("tcp://127.0.0.1:0");
  const closed = await listen("tcp://127.0.0.1:0");
  await closed.close();
  const own = closed.localAddress;
  let calls = 0;
  const sockets: Sockets = {
    ...nodeNetwork.sockets,
    connect: (_target, options) => {
      calls += 1;
      // What the system does by chance.
      return calls === 1
        ? nodeNetwork.sockets.connect(own, { ...options, localAddress: own })
        : nodeNetwork.sockets.connect(listener.localAddress, options);
    },
  };
  const network = { ...nodeNetwork, sockets };
  const called = await connect(own, { network, retry: { timeoutMs: 10_000, initialDelayMs: 1 } });
  assert.equal(calls, 2);
  called.abort();
});

test("a server that is not running: the message says so, and the attempt is listed", async () => {
  const listener = await listen("tcp://127.0.0.1:0");
  const address = String(listener.localAddress);
  await listener.close();
  const expected = { code: "CONNECTION_REFUSED", op: "connect", side: "remote", type: ConnectError } as const;
  const error = (await expectError(connect(address), { ...expected, remote: address })) as ConnectError;
  assert.match(error.message, /nothing listens there; start the server first/);
  assert.deepEqual(
    error.attempts.map(({ address: tried, error: reason }) => [tried, reason.code]),
    [[address, "CONNECTION_REFUSED"]],
  );
  assert.equal((error.cause as NodeJS.ErrnoException).code, "ECONNREFUSED");
});

test("a name is tried in every address it has, and all of them are listed", async () => {
  const taken = await listen("tcp://127.0.0.1:0");
  const { port } = taken.localAddress;
  await taken.close();
  const resolve: Sockets["resolve"] = async (_host, family) => (family === 6 ? ["::1"] : ["127.0.0.1", "127.0.0.1"]);
  const network = networkWith({ resolve });
  const error = await expectError(connect(`tcp://server.example:${port}`, { network }), { code: "CONNECTION_REFUSED" });
  const attempts = (error as ConnectError).attempts.map(({ address }) => address);
  assert.deepEqual(attempts, [`tcp://[::1]:${port}`, `tcp://127.0.0.1:${port}`, `tcp://127.0.0.1:${port}`]);
  assert.ok(attempts.every((address) => error.message.includes(address)));
});

test("a name that leads to this machine, over the name service of the system", async () => {
  await using listener = await listen("tcp://localhost:0");
  const called = await connect(`tcp://localhost:${listener.localAddress.port}`);
  const peer = await listener.accept();
  assert.ok(called.remoteAddress.isLoopback);
  assert.equal(called.remoteAddress.family, listener.localAddress.family);
  called.abort();
  peer.abort();
});

test("localAddress: the own end of the connection, of one family", async () => {
  await using listener = await listen("tcp://127.0.0.1:0");
  for (const localAddress of ["127.0.0.1", "127.0.0.1:0", Address.parse("tcp://127.0.0.1:0")]) {
    const called = await connect(listener.localAddress, { localAddress });
    const peer = await listener.accept();
    assert.equal(peer.remoteAddress.host, "127.0.0.1");
    assert.equal(String(called.localAddress), String(peer.remoteAddress));
    called.abort();
    peer.abort();
  }
  const foreign = connect(listener.localAddress, { localAddress: "192.0.2.1" });
  await expectError(foreign, { code: "ADDRESS_NOT_AVAILABLE", op: "connect", side: "system", type: ConnectError });
  const named = connect(listener.localAddress, { localAddress: "localhost" });
  await expectError(named, { code: "ADDRESS_INVALID", op: "connect", type: UsageError });
  const families: number[] = [];
  const resolve: Sockets["resolve"] = async (_host, family) => {
    families.push(family);
    return [];
  };
  const network = networkWith({ resolve });
  const nowhere = connect("tcp://server.example:7", { network, localAddress: "[::1]" });
  await expectError(nowhere, { code: "NAME_NOT_FOUND", op: "connect" });
  assert.deepEqual(families, [6]);
});

// The rules are those of docs/semantics.md.
test("rule A10: connect makes connections only, and names the right call for a datagram socket", async () => {
  const expected = { code: "ADDRESS_INVALID", op: "connect", type: UsageError } as const;
  const error = await expectError(connect("udp://127.0.0.1:7"), expected);
  assert.match(error.message, /bind\(local, \{ remote \}\)/);
  await expectError(connect("tcp://127.0.0.1:0"), expected);
  await expectError(connect("nonsense"), expected);
  await expectError(connect("tcp://127.0.0.1:99999"), expected);
});

test("options that make no sense are refused before anything is opened", async () => {
  const network = networkWith({ connect: () => assert.fail("must not connect") });
  const expected = { code: "OPTION_INVALID", op: "connect", type: UsageError } as const;
  for (const options of [
    { timeoutMs: -1 },
    { timeoutMs: Number.NaN },
    { timeouts: { idleMs: 0 } },
    { timeouts: { writeStallMs: -1 } },
    { timeouts: { lifetimeMs: Number.NaN } },
    { limits: { maxReadAheadBytes: 0 } },
    { limits: { maxWriteQueueBytes: -5 } },
  ]) {
    await expectError(connect("tcp://127.0.0.1:7", { network, ...options }), expected);
  }
  const timeout = { code: "TIMEOUT", op: "connect", outcome: "none" } as const;
  await expectError(connect("tcp://127.0.0.1:7", { network, timeoutMs: 0 }), timeout);
  const reason = new Error("no");
  const aborted = connect("tcp://127.0.0.1:7", { network, signal: AbortSignal.abort(reason) });
  assert.equal(await reasonOf(aborted), reason);
});

test("retry waits for a server that comes up later", async () => {
  const free = await listen("tcp://127.0.0.1:0");
  const address = free.localAddress;
  await free.close();
  let attempts = 0;
  let open: (() => void) | undefined;
  const ready = new Promise<void>((resolve) => {
    open = resolve;
  });
  const sockets: Partial<Sockets> = {
    connect: async (target, options) => {
      attempts += 1;
      if (attempts === 3) open?.();
      return await nodeNetwork.sockets.connect(target, options);
    },
  };
  const network = { ...nodeNetwork, sockets: { ...nodeNetwork.sockets, ...sockets } };
  const connecting = connect(address, { network, retry: { timeoutMs: 30_000, initialDelayMs: 1, maxDelayMs: 5 } });
  await ready;
  await using server = await serve(address, (peer) => peer.write("here"));
  const called = await connecting;
  assert.equal(String(await called.readExactly(4)), "here");
  assert.ok(attempts > 3);
  called.abort();
  assert.equal(server.stats.accepted, 1);
});

test("without retry, and for what waiting does not mend, there is one attempt", async () => {
  const network = networkWith({
    connect: () => Promise.reject(new ConnectError("PERMISSION_DENIED", { op: "connect" })),
  });
  const denied = connect("tcp://127.0.0.1:7", { network, retry: { timeoutMs: 60_000 } });
  await expectError(denied, { code: "PERMISSION_DENIED", op: "connect" });
  assert.equal(network.clock.pending, 0);
});

test("a connection of another network's error keeps its cause", async () => {
  const cause = new ZocaloError("SYSTEM_ERROR", { op: "connect", detail: "the cable is cut", cause: "cut" });
  const network = networkWith({ connect: () => Promise.reject(cause) });
  const error = await expectError(connect("tcp://127.0.0.1:7", { network }), { code: "SYSTEM_ERROR", op: "connect" });
  assert.deepEqual([error.detail, error.cause], ["the cable is cut", "cut"]);
});

test("a server of node:net", async () => {
  const server = net.createServer((socket) => socket.pipe(socket)).listen(0, "127.0.0.1");
  const port = await portOf(server);
  await using called = await connect({ host: "127.0.0.1", port });
  await called.write("eco");
  await called.end();
  assert.equal(String(await called.readExactly(3)), "eco");
  assert.equal(await called.read(), null);
  server.close();
});

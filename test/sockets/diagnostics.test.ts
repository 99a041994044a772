/** Everything that happens to a socket is an event of its channel: opened once, closed once, failed, turned away. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { promisify } from "node:util";
import { lines } from "../../src/framing.ts";
import {
  Address,
  bind,
  connect,
  type DiagnosticEvent,
  listen,
  type ListenerSink,
  type ListenerTransport,
  type ListenOptions,
  nodeNetwork,
  pair,
  type RefusalReason,
  serve,
  serveDatagrams,
  type StreamSocket,
  type StreamTransport,
} from "../../src/index.ts";
import { ManualClock } from "../../src/testing/manual-clock.ts";
import { ManualDatagrams, manualNetwork } from "../fixtures/manual-datagrams.ts";
import { repositoryRoot } from "../fixtures/repository-root.ts";
import { testCertificates } from "../fixtures/certificates.ts";

const LISTENER = "tcp://127.0.0.1:0";
const BOX = "udp://127.0.0.1:0";

type Channel = "open" | "close" | "error" | "refusal";

/** What was published on the four channels during a test. */
class Watch {
  readonly events: (readonly [Channel, DiagnosticEvent])[] = [];
  readonly #wanted: { readonly channel: Channel; readonly resolve: (event: DiagnosticEvent) => void }[] = [];

  constructor(t: TestContext) {
    for (const name of ["open", "close", "error", "refusal"] as const) {
      const hear = (message: unknown): void => this.#hear(name, message as DiagnosticEvent);
      subscribe(`zocalo:${name}`, hear);
      t.after(() => unsubscribe(`zocalo:${name}`, hear));
    }
  }

  /** The first event of a channel, heard already or yet to come. */
  async first(channel: Channel): Promise<DiagnosticEvent> {
    const heard = this.events.find(([name]) => name === channel);
    if (heard !== undefined) return heard[1];
    return await new Promise((resolve) => this.#wanted.push({ channel, resolve }));
  }

  /** `open stream`, `close stream reset`, ... in order. */
  get told(): string[] {
    return this.events.map(([name, { kind, how, reason }]) =>
      [name, kind, how, reason].filter((word) => word !== undefined).join(" "),
    );
  }

  #hear(channel: Channel, event: DiagnosticEvent): void {
    this.events.push([channel, event]);
    for (const wanted of this.#wanted) if (wanted.channel === channel) wanted.resolve(event);
  }
}

/** Both ends of one connection on loopback. */
async function joined(options: ListenOptions = {}): Promise<[StreamSocket, StreamSocket]> {
  await using listener = await listen(LISTENER, options);
  const [called, accepted] = await Promise.all([connect(listener.localAddress), listener.accept()]);
  return [called, accepted];
}

const ends: readonly (readonly [how: string, act: (socket: StreamSocket, peer: StreamSocket) => unknown])[] = [
  ["ended", (socket, peer) => Promise.all([socket.end(), peer.end()])],
  ["closed", (socket, peer) => Promise.all([socket.close(), peer.close()])],
  ["aborted", (socket) => socket.abort()],
  ["reset", (_socket, peer) => peer.abort()],
];

for (const [how, act] of ends) {
  test(`a connection that is ${how} was opened once and is closed once, with both addresses`, async (t) => {
    const [socket, peer] = await joined();
    const watch = new Watch(t);
    await act(socket, peer);
    const end = await socket.closed;
    await peer.closed;
    assert.equal(end.how, how);
    const mine = watch.events.filter(([, event]) => event.local === String(socket.localAddress));
    const { localAddress, remoteAddress } = socket;
    const names = { kind: "stream", local: String(localAddress), remote: String(remoteAddress) };
    assert.deepEqual(mine, [["close", { ...names, how, error: end.error }]]);
    assert.equal(end.error === undefined, how === "ended" || how === "closed");
    assert.deepEqual(
      watch.told.filter((line) => line.startsWith("error")),
      [],
    );
  });
}

test("a limit that runs out is a close of that kind, with the error", async (t) => {
  const clock = new ManualClock(nodeNetwork.clock);
  const watch = new Watch(t);
  const [left, right] = pair({ timeouts: { idleMs: 1000 }, network: { ...nodeNetwork, clock } });
  await clock.advance(1000);
  const { how, error } = await left.closed;
  await right.closed;
  assert.deepEqual(watch.told, ["open stream", "open stream", "close stream timeout", "close stream reset"]);
  assert.equal(how, "timeout");
  assert.equal(watch.events[2]?.[1].error, error);
});

test("listeners and datagram sockets are opened once and closed once", async (t) => {
  const watch = new Watch(t);
  const listener = await listen(LISTENER);
  const box = await bind(BOX, { remote: "udp://127.0.0.1:9" });
  await Promise.all([listener.close(), listener.close()]);
  await Promise.all([box.close(), box.close()]);
  assert.deepEqual(watch.told, ["open listener", "open datagram", "close listener closed", "close datagram closed"]);
  assert.deepEqual(
    watch.events.map(([, { local, remote }]) => [local, remote]),
    [listener, box, listener, box].map((socket) => [
      String(socket.localAddress),
      socket === box ? "udp://127.0.0.1:9" : undefined,
    ]),
  );
});

test("a datagram socket that could not join its group is closed as it was opened", async (t) => {
  const watch = new Watch(t);
  const transport = new ManualDatagrams({ local: "udp://239.1.2.3:5000" });
  transport.join = () => {
    throw new Error("no such interface");
  };
  await assert.rejects(
    bind("udp://239.1.2.3:5000", { network: manualNetwork(new ManualClock(nodeNetwork.clock), [transport]) }),
  );
  assert.ok(transport.closed);
  assert.deepEqual(watch.told, ["open datagram", "close datagram closed"]);
});

test("what could not be opened was never told as open", async (t) => {
  const listener = await listen(LISTENER);
  const watch = new Watch(t);
  await assert.rejects(listen(listener.localAddress), { code: "ADDRESS_IN_USE" });
  await assert.rejects(listen(LISTENER, { allow: ["nobody"] }), { code: "ADDRESS_INVALID" });
  await listener.close();
  await assert.rejects(connect(listener.localAddress), { code: "CONNECTION_REFUSED" });
  assert.deepEqual(watch.told, ["close listener closed"]);
});

/** What turns a client away for each reason but `closing`, which needs a connection that comes while a listener closes. */
const refusals: Readonly<Record<Exclude<RefusalReason, "closing">, ListenOptions & { readonly calls?: number }>> = {
  "max-waiting-connections": { limits: { maxWaitingConnections: 0 } },
  "max-connections": { limits: { maxConnections: 0 } },
  "max-connections-per-address": { limits: { maxConnectionsPerAddress: 1 }, calls: 2 },
  "max-handshakes": { limits: { maxHandshakes: 1 }, proxyProtocol: { from: ["127.0.0.1"] }, calls: 2 },
  "not-allowed": { allow: ["192.0.2.0/24"] },
  denied: { deny: ["127.0.0.0/8"] },
  handshake: { proxyProtocol: { from: ["127.0.0.1"] } },
};

for (const [reason, { calls = 1, ...options }] of Object.entries(refusals)) {
  test(`a client that is turned away (${reason}) is a refusal with its address`, async (t) => {
    const watch = new Watch(t);
    await using listener = await listen(LISTENER, options);
    const callers = await Promise.allSettled(Array.from({ length: calls }, () => connect(listener.localAddress)));
    const sockets = callers.flatMap((caller) => (caller.status === "fulfilled" ? [caller.value] : []));
    if (reason === "handshake") await sockets[0]?.write("no header\r\n").catch(() => undefined);
    const event = await watch.first("refusal");
    assert.deepEqual([event.kind, event.local, event.reason], ["listener", String(listener.localAddress), reason]);
    assert.match(String(event.remote), /^tcp:\/\/127\.0\.0\.1:\d+$/);
    assert.equal(listener.stats.refused[reason as RefusalReason], 1);
    for (const socket of sockets) socket.abort();
  });
}

test("a client that comes while the listener closes is a refusal (closing)", async (t) => {
  const watch = new Watch(t);
  let sink: ListenerSink | undefined;
  let resets = 0;
  const transport: ListenerTransport = {
    localAddress: Address.parse("tcp://127.0.0.1:7000"),
    native: undefined,
    start: (given) => {
      sink = given;
    },
    close: () => Promise.resolve(),
    setReferenced: () => undefined,
  };
  const sockets = { ...nodeNetwork.sockets, listen: () => Promise.resolve(transport) };
  const listener = await listen("tcp://127.0.0.1:7000", { network: { ...nodeNetwork, sockets } });
  const closed = listener.close();
  const remoteAddress = Address.parse("tcp://192.0.2.1:4000");
  sink?.accepted({ remoteAddress, reset: () => void (resets += 1) } as unknown as StreamTransport);
  await closed;
  const refused = "refusal listener closing";
  assert.deepEqual(watch.told, ["open listener", refused, "close listener closed"]);
  assert.deepEqual([resets, listener.stats.refused.closing, listener.stats.open], [1, 1, 0]);
});

test("the reasons that the guide lists are those of a listener and of a datagram socket", async () => {
  await using listener = await listen(LISTENER);
  const reasons = Object.keys(listener.stats.refused);
  assert.deepEqual([...reasons].sort(), [...Object.keys(refusals), "closing"].sort());
  for (const page of ["docs/guide/diagnostics.md", "docs/es/guia/diagnostico.md"]) {
    const rows = readFileSync(join(repositoryRoot, page), "utf8").matchAll(/^\| `([\w-]+)` \|/gm);
    const listed = [...rows].map(([, word]) => word);
    const ways = ["how", "ended", "closed", "aborted", "reset", "timeout", "failed"];
    assert.deepEqual(listed, [...ways, "reason", ...reasons, "receive-queue", "not-a-request"], page);
  }
});

test("a receive queue that begins to drop is a refusal, once", async (t) => {
  const watch = new Watch(t);
  const transport = new ManualDatagrams();
  const network = manualNetwork(new ManualClock(nodeNetwork.clock), [transport]);
  await using box = await bind(BOX, { limits: { maxReceiveQueueDatagrams: 1 }, network });
  transport.deliver(["a", "b", "c"]);
  transport.deliver(["d"]);
  assert.equal(box.stats.datagramsDropped, 3);
  assert.deepEqual(watch.told.slice(1), ["refusal datagram receive-queue"]);
});

test("what a handler throws, and what onError throws, are errors with the peer's address", async (t) => {
  const watch = new Watch(t);
  const [first, second] = [new Error("handler"), new Error("onError")];
  const server = await serve(
    LISTENER,
    () => {
      throw first;
    },
    {
      onError: () => {
        throw second;
      },
    },
  );
  const call = await connect(server.localAddress).catch(() => undefined);
  await call?.closed;
  await server.close({ timeoutMs: 0 });
  const errors = watch.events.filter(([name]) => name === "error").map(([, event]) => event);
  assert.deepEqual(
    errors.map(({ kind, local, error }) => [kind, local, error]),
    [first, second].map((error) => ["stream", String(server.localAddress), error]),
  );
  if (call !== undefined) assert.equal(errors[0]?.remote, String(call.localAddress));
});

test("a handshake that fails is an error beside the refusal", async (t) => {
  const { server } = await testCertificates();
  const watch = new Watch(t);
  await using listener = await listen("tls://127.0.0.1:0", { tls: { cert: server.cert, key: server.key } });
  const caller = await connect(String(listener.localAddress).replace("tls:", "tcp:"));
  await caller.write("GET / HTTP/1.1\r\n\r\n");
  const refusal = await watch.first("refusal");
  const event = await watch.first("error");
  const remote = `tls://${caller.localAddress.hostPort}`;
  assert.deepEqual([refusal.reason, refusal.remote], ["handshake", remote]);
  assert.deepEqual([event.kind, event.remote], ["stream", remote]);
  assert.equal((event.error as { readonly op?: string }).op, "handshake");
  caller.abort();
});

test("a datagram whose handler throws, and one that holds no message, are errors with their sender", async (t) => {
  const watch = new Watch(t);
  const broken = new Error("broken");
  await using server = await serveDatagrams(BOX, () => {
    throw broken;
  });
  await using friend = await bind(BOX);
  await friend.send("x", server.localAddress);
  const thrown = await watch.first("error");
  assert.deepEqual(
    [thrown.kind, thrown.local, thrown.remote, thrown.error],
    ["datagram", String(server.localAddress), String(friend.localAddress), broken],
  );
  await using box = await bind(BOX);
  const messages = box.framed(lines());
  await friend.send("no line", box.localAddress);
  await friend.send("a line\n", box.localAddress);
  assert.equal((await messages.receive()).message, "a line");
  const rubbish = watch.events.find(([name, { local }]) => name === "error" && local === String(box.localAddress));
  assert.equal(rubbish?.[1].remote, String(friend.localAddress));
});

const PROGRAM = `
  const { listen } = await import(process.argv[1]);
  const listener = await listen("tcp://127.0.0.1:0");
  await listener.close();
`;

/** What a program that opens and closes a listener writes on stderr. */
async function stderrWith(debug: string): Promise<string> {
  const index = join(repositoryRoot, "build/src/index.js");
  const { stderr } = await promisify(execFile)(
    process.execPath,
    ["--input-type=module", "--no-warnings", "--eval", PROGRAM, index],
    { env: { ...process.env, NODE_DEBUG: debug } },
  );
  return stderr;
}

test("NODE_DEBUG=zocalo prints the events, and nothing else does", async () => {
  assert.equal(await stderrWith(""), "");
  assert.match(
    await stderrWith("zocalo"),
    /^ZOCALO \d+: open listener tcp:\/\/127\.0\.0\.1:\d+\nZOCALO \d+: close listener tcp:\/\/127\.0\.0\.1:\d+: closed\n$/,
  );
});

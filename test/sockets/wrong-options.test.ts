/** Every option with values that it cannot have: the call says which option, what it must be, and what came. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { lines } from "../../src/framing.ts";
import { bind, connect, listen, pair, relay, serve, serveDatagrams, sleep, UsageError } from "../../src/index.ts";

const LISTENER = "tcp://127.0.0.1:0";
const BOX = "udp://127.0.0.1:0";

/** What a program without types would pass. */
function untyped<T>(value: unknown): T {
  return value as T;
}

/** Rejects with `OPTION_INVALID` of the operation `op`, and the message names the option. */
async function refuses(op: string, option: string, call: () => unknown): Promise<void> {
  await assert.rejects(
    async () => await call(),
    (error) => {
      assert.ok(error instanceof UsageError, `${op} ${option}: ${String(error)}`);
      assert.deepEqual([error.code, error.op], ["OPTION_INVALID", op], `${op} ${option}: ${error.message}`);
      assert.ok(error.message.includes(option), error.message);
      return true;
    },
  );
}

const POSITIVE = [0, -1, Number.NaN, "5", null, true];
const FROM_ZERO = [-1, Number.NaN, "5", null, {}];
const COUNT = [-1, 1.5, Number.NaN, "5", null];
const FLAG = ["yes", 1, null];
const NO_OBJECT = [null, "x", 5, true, []];

const CONNECTION: Record<string, readonly unknown[]> = {
  limits: NO_OBJECT,
  "limits.maxReadAheadBytes": POSITIVE,
  "limits.maxWriteQueueBytes": POSITIVE,
  timeouts: NO_OBJECT,
  "timeouts.idleMs": POSITIVE,
  "timeouts.writeStallMs": POSITIVE,
  "timeouts.lifetimeMs": POSITIVE,
};
const TLS: Record<string, readonly unknown[]> = {
  tls: NO_OBJECT,
  "tls.cert": [5, null],
  "tls.ca": [5, [5]],
  "tls.alpn": ["h2", [5]],
  "tls.insecure": FLAG,
  "tls.servername": [5],
  "tls.clientCertificate": ["yes", true],
  "tls.minVersion": ["TLSv1", 1.3],
};
const LISTEN: Record<string, readonly unknown[]> = {
  ...CONNECTION,
  ...TLS,
  "limits.maxBacklog": [0, -1, 1.5, "x", null, Number.POSITIVE_INFINITY],
  "limits.maxWaitingConnections": COUNT,
  "limits.maxConnections": COUNT,
  "limits.maxConnectionsPerAddress": COUNT,
  "limits.maxHandshakes": [0, ...COUNT],
  "timeouts.handshakeMs": POSITIVE,
  proxyProtocol: NO_OBJECT,
  "proxyProtocol.from": [undefined, "10.0.0.0/8"],
  tcp: NO_OBJECT,
  "tcp.reusePort": FLAG,
  "tcp.ipv6Only": FLAG,
  "tcp.noDelay": FLAG,
  mode: [-1, 0o1000, "600"],
  fd: [-1, 1.5, "3"],
};
const BIND: Record<string, readonly unknown[]> = {
  limits: NO_OBJECT,
  "limits.maxReceiveQueueDatagrams": [0, ...COUNT],
  "limits.maxReceiveQueueBytes": [0, ...COUNT],
  "limits.maxSendQueueDatagrams": [0, ...COUNT],
  "limits.maxSendQueueBytes": [0, ...COUNT],
  "limits.maxDatagramBytes": [0, ...COUNT],
  overflow: ["drop", null, 5],
  dnsMaxAgeMs: FROM_ZERO,
  udp: NO_OBJECT,
  "udp.reuseAddress": FLAG,
  "udp.reusePort": FLAG,
  "udp.ipv6Only": FLAG,
  "udp.receiveBufferBytes": [0, -1, "x", Number.POSITIVE_INFINITY],
  "udp.sendBufferBytes": [0, -1, "x"],
};
const SIGNALS: Record<string, readonly unknown[]> = {
  closeOn: ["SIGTERM", ["SIGNOPE"], [5], 5, null],
  closeTimeoutMs: FROM_ZERO,
  exitTimeoutMs: FROM_ZERO,
  onError: ["x", {}, null],
};

/** Sets `tls.cert` as `{ tls: { cert } }`. */
function optionsWith<T>(path: string, value: unknown): T {
  return untyped(path.split(".").reduceRight<unknown>((inner, name) => ({ [name]: inner }), value));
}

const calls: readonly (readonly [string, Record<string, readonly unknown[]>, (options: object) => unknown])[] = [
  [
    "connect",
    {
      ...CONNECTION,
      ...TLS,
      tcp: NO_OBJECT,
      "tcp.noDelay": FLAG,
      network: [...NO_OBJECT, {}],
      retry: NO_OBJECT,
      "retry.initialDelayMs": FROM_ZERO,
      "retry.maxDelayMs": FROM_ZERO,
      "retry.timeoutMs": FROM_ZERO,
    },
    (options) => connect("tcp://127.0.0.1:1", options),
  ],
  ["listen", LISTEN, (options) => listen(LISTENER, options)],
  ["serve", { ...LISTEN, ...SIGNALS }, (options) => serve(LISTENER, () => undefined, options)],
  ["bind", BIND, (options) => bind(BOX, options)],
  [
    "serveDatagrams",
    {
      ...BIND,
      ...SIGNALS,
      "limits.maxConcurrentRequests": [0, ...COUNT],
      "limits.maxAmplification": [0, 0.9, -1, "x", Number.NaN, Number.POSITIVE_INFINITY],
      "limits.maxRepliesPerSource": [0, ...COUNT],
      replies: ["all", null],
    },
    (options) => serveDatagrams(BOX, () => undefined, options),
  ],
  ["pair", CONNECTION, (options) => pair(options)],
  ["sleep", { signal: [null, 5, {}], network: NO_OBJECT }, (options) => sleep(1, options)],
];

for (const [op, options, call] of calls) {
  test(`${op}: each option with what it cannot be`, async () => {
    for (const value of NO_OBJECT) await refuses(op, "options", () => call(untyped(value)));
    for (const [path, values] of Object.entries(options)) {
      for (const value of values) await refuses(op, `${path} must be`, () => call(optionsWith(path, value)));
    }
  });
}

test("a connection: each option of a call with what it cannot be, and the connection still works", async () => {
  const [left, right] = pair();
  for (const value of [null, "x", 5, true]) {
    const none = untyped<undefined>(value);
    await refuses("read", "options", () => right.read(none));
    await refuses("readInto", "options", () => right.readInto(Buffer.alloc(4), none));
    await refuses("readExactly", "options", () => right.readExactly(4, none));
    await refuses("expect", "options", () => right.expect(/^220 /, none));
    await refuses("peek", "options", () => right.peek(4, none));
    await refuses("readUntil", "options", () => right.readUntil("\n", none));
    await refuses("write", "options", () => left.write("x", none));
    await refuses("end", "options", () => left.end(none));
    await refuses("close", "options", () => left.close(none));
    await refuses("startTls", "options", () => left.startTls(untyped(value)));
    await refuses("relay", "options", () => relay(left, right, none));
  }
  await refuses("readUntil", "delimiter", () => right.readUntil(untyped(null)));
  await refuses("startTls", "role", () => left.startTls(untyped({})));
  for (const value of [0, 1.5, Number.NaN, "5", null]) {
    await refuses("read", "maxBytes", () => right.read({ maxBytes: untyped(value) }));
    await refuses("readUntil", "maxBytes", () => right.readUntil("\n", { maxBytes: untyped(value) }));
  }
  for (const value of FROM_ZERO) {
    await refuses("close", "lingerMs", () => left.close({ lingerMs: untyped(value) }));
    await refuses("close", "lingerBytes", () => left.close({ lingerBytes: untyped(value) }));
  }
  await left.write("hola\n");
  assert.equal(String(await right.readUntil("\n")), "hola\n");
  const text = right.framed(lines());
  for (const value of [null, "x", 5, {}, undefined]) {
    await refuses("onMessages", "handler", () => text.onMessages(untyped(value)));
    await refuses("onFrames", "handler", () => text.onFrames(untyped(value)));
  }
  await left.write("adiós\n");
  assert.equal(await text.receive(), "adiós");
  left.abort();
});

test("a datagram socket and servers: each option of a call with what it cannot be, and they still work", async () => {
  await using box = await bind(BOX);
  await using server = await serve(LISTENER, () => undefined);
  await using answers = await serveDatagrams(BOX, ({ data }) => data);
  for (const value of [null, "x", 5, true]) {
    const none = untyped<undefined>(value);
    await refuses("send", "options", () => box.send("x", box.localAddress, none));
    await refuses("receive", "options", () => box.receive(none));
    await refuses("close", "options", () => box.close(none));
    await refuses("close", "options", () => server.close(none));
    await refuses("broadcast", "options", () => server.broadcast("x", none));
    await refuses("close", "options", () => answers.close(none));
  }
  for (const value of [null, "x", 5, {}, undefined]) {
    await refuses("onDatagrams", "handler", () => box.onDatagrams(untyped(value)));
    await refuses("onMessages", "handler", () => box.framed(lines()).onMessages(untyped(value)));
  }
  for (const value of [0, 1.5, "5", null, Number.NaN]) {
    await refuses("receiveMany", "maxDatagrams", () => box.receiveMany(untyped(value)));
  }
  for (const value of FROM_ZERO) await refuses("close", "lingerMs", () => box.close({ lingerMs: untyped(value) }));
  for (const value of ["5", Number.NaN, null]) {
    await refuses("close", "timeoutMs", () => server.close({ timeoutMs: untyped(value) }));
    await refuses("close", "timeoutMs", () => answers.close({ timeoutMs: untyped(value) }));
  }
  const broadcasts = {
    slow: ["later", null],
    maxWaitingBytes: FROM_ZERO,
    to: [5, null, {}],
    codec: [5, {}],
    signal: NO_OBJECT,
    timeoutMs: ["5", null],
    exept: [5],
  };
  for (const [option, values] of Object.entries(broadcasts)) {
    for (const value of values)
      await refuses("broadcast", option, () => server.broadcast("x", untyped({ [option]: value })));
  }
  for (const value of [null, 5, {}, [5], [null]]) {
    await refuses("broadcast", "except", () => server.broadcast("x", { except: untyped(value) }));
    await refuses("broadcast", "data", () => server.broadcast(untyped(value)));
  }
  await refuses("broadcast", "to", () => server.broadcast("x", { to: untyped([{}]) }));
  await box.send("hola", answers.localAddress);
  assert.equal(String((await box.receive()).data), "hola");
});

test("arguments that cannot be are errors of the call, and the socket goes on", async () => {
  const [left, right] = pair();
  await using box = await bind(BOX);
  for (const value of [null, "x", 5, {}, []]) {
    const none = untyped<never>(value);
    await refuses("relay", "a must be a connection", () => relay(none, right));
    await refuses("relay", "b must be a connection", () => relay(left, none));
    await refuses("framed", "codec", () => left.framed(none));
    await refuses("framed", "codec", () => box.framed(none));
    await refuses("setNoDelay", "on", () => left.tcp.setNoDelay(none));
    await refuses("setKeepAlive", "on", () => left.tcp.setKeepAlive(none));
    await refuses("setBroadcast", "value", () => box.udp.setBroadcast(none));
    await refuses("setMulticastLoopback", "value", () => box.udp.setMulticastLoopback(none));
  }
  for (const value of [null, "5", -1, Number.NaN]) {
    await refuses("setKeepAlive", "idleMs", () => left.tcp.setKeepAlive(true, untyped(value)));
    await refuses("setMulticastTtl", "value", () => box.udp.setMulticastTtl(untyped(value)));
    await refuses("setTtl", "value", () => box.udp.setTtl(untyped(value)));
    await refuses("setIdleTimeout", "idleMs", () => left.setIdleTimeout(untyped(value)));
    await refuses("sleep", "durationMs", () => sleep(untyped(value)));
  }
  for (const value of [0, 1.5, 256]) await refuses("setTtl", "value", () => box.udp.setTtl(value));
  const framed = left.framed(lines());
  const messages = box.framed(lines());
  for (const value of [null, 5, {}, Symbol("no list")]) {
    const none = untyped<never>(value);
    await refuses("sendMany", "items", () => box.sendMany(none));
    await refuses("sendMany", "messages", () => framed.sendMany(none));
    await refuses("sendMany", "messages", () => messages.sendMany(none, box.localAddress));
  }
  for (const value of [null, undefined]) {
    await refuses("sendMany", "no destination", () => box.sendMany([untyped(value)]));
  }
  for (const value of [null, 5, {}, Symbol("no group")]) {
    assert.throws(() => box.udp.joinGroup(untyped(value)), { code: "ADDRESS_INVALID", op: "joinGroup" });
    await refuses("joinGroup", "source", () => box.udp.joinGroup("239.1.2.3", { source: untyped(value) }));
  }
  await refuses("leaveGroup", "options", () => box.udp.leaveGroup("239.1.2.3", untyped(null)));
  await framed.send("hola");
  assert.equal(String(await right.read()), "hola\n");
  left.abort();
});

test("an option that does not work with the address is refused: who gave it counts on what it does", async () => {
  await refuses("connect", "tls", () => connect("tcp://127.0.0.1:1", { tls: {} }));
  await refuses("listen", "tls", () => listen(LISTENER, { tls: {} }));
  await refuses("serve", "tls", () => serve(LISTENER, () => undefined, { tls: {} }));
  await refuses("listen", "mode", () => listen(LISTENER, { mode: 0o600 }));
  await refuses("connect", "tcp works", () => connect("unix:x.sock", { tcp: {} }));
  await refuses("listen", "tcp works", () => listen("unix:x.sock", { tcp: { noDelay: true } }));
  for (const from of [[], ["127.0.0.1"], ["unix", "127.0.0.1"]]) {
    await refuses("listen", "proxyProtocol.from", () => listen("unix:x.sock", { proxyProtocol: { from } }));
  }
  for (const from of [["unix"], ["127.0.0.1", "unix"]]) {
    await refuses("listen", "proxyProtocol.from", () => listen(LISTENER, { proxyProtocol: { from } }));
  }
});

test("what a getter of the options throws is the answer of the call, as a promise", async () => {
  const [left, right] = pair();
  const [away, text] = [left.framed(lines()), right.framed(lines())];
  await using box = await bind(BOX);
  const problem = new Error("a getter");
  const options = {
    get timeoutMs(): number {
      throw problem;
    },
  };
  const ignore = (): void => undefined;
  const answers = [
    right.write("x", options),
    right.end(options),
    right.close(options),
    text.receive(options),
    text.messages(options).next(),
    text.batches(options).next(),
    text.onMessages(ignore, options),
    text.onFrames(ignore, options),
    away.send("x", options),
    away.flush(options),
    box.receive(options),
    box.datagrams(options).next(),
    box.onDatagrams(ignore, options),
    box.send("x", box.localAddress, options),
  ];
  for (const answer of await Promise.allSettled(answers)) {
    assert.deepEqual(answer, { status: "rejected", reason: problem });
  }
  left.abort();
});

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { contract } from "../contract/contract.ts";
import { call, event } from "../contract/method.ts";
import { ProtocolError, type ZocaloError } from "../errors.ts";
import { ClientHandshake, type ClientHandshakeEvent, type ClientHandshakeOptions } from "./client-handshake.ts";
import type { Hello, ResumeRequest, Welcome } from "./hello.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { agreeWithClient, type Capabilities, sameAgreement } from "./negotiate.ts";
import { encodeHandshake, HELLO, MAGIC } from "./preamble.ts";
import { ServerHandshake } from "./server-handshake.ts";

const server: Capabilities = {
  contract: contract("chat", "2.1.0", { server: { say: event(), join: call() }, client: { said: event() } }),
  codecs: ["msgpack", "json"],
  features: ["a", "b"],
  limits: DEFAULT_LIMITS,
};
const client: Capabilities = {
  contract: contract("chat", "2.0.0", { server: { say: event() }, client: { said: event() } }),
  codecs: ["json"],
  features: ["b", "c"],
  limits: { ...DEFAULT_LIMITS, maxCalls: 3 },
};
const resume: ResumeRequest = {
  session: "s1",
  token: "t1",
  server: "i1",
  attempt: 2,
  received: 5,
  acknowledged: 7,
  sent: 9,
};
const identity = { session: "s1", token: "t2", server: "i1", epoch: 1, keptMs: 60_000 };

/** All of an output as one piece. */
const bytesOf = (chunks: readonly Uint8Array[]): Buffer => Buffer.concat(chunks);

/** The hello that a client sends, as the server reads it. */
function helloOf(capabilities: Capabilities, options: ClientHandshakeOptions = {}): Hello {
  const machine = new ServerHandshake(0);
  const bytes = bytesOf(new ClientHandshake(capabilities, 0, options).output());
  machine.receive(bytes, 0, bytes.length);
  const happened = machine.nextEvent();
  assert.equal(happened?.type, "hello");
  return happened.hello;
}

/** What the client says to a welcome with these fields. */
function answer(fields: Partial<Welcome>, options: ClientHandshakeOptions = {}): ClientHandshakeEvent | undefined {
  const listener = new ServerHandshake(0);
  const caller = new ClientHandshake(client, 0, options);
  const hello = bytesOf(caller.output());
  listener.receive(hello, 0, hello.length);
  const welcome: Welcome = {
    version: "2.1.0",
    offers: ["join", "say"],
    codec: "json",
    features: ["b"],
    limits: DEFAULT_LIMITS,
    ...identity,
    ...fields,
  };
  listener.welcome(welcome);
  const bytes = bytesOf([...listener.output(), Buffer.from("rest")]);
  caller.receive(bytes, 0, bytes.length);
  return caller.nextEvent();
}

function codeOf(happened: { readonly type: string; readonly error?: ZocaloError } | undefined): string | undefined {
  return happened?.type === "welcome" ? "welcome" : happened?.error?.code;
}

test("a hello carries everything that the client says", () => {
  const hello = helloOf(client, { auth: { user: "ana" }, resume });
  assert.deepEqual(hello, {
    contract: "chat",
    version: "2.0.0",
    accepts: { from: "2.0.0", below: "3.0.0" },
    offers: ["said"],
    codecs: ["json"],
    features: ["b", "c"],
    limits: client.limits,
    auth: { user: "ana" },
    resume,
  });
});

test("both sides agree on the same, however the bytes are cut", () => {
  for (const size of [1, 2, 7, 1000]) {
    const listener = new ServerHandshake(0);
    const caller = new ClientHandshake(client, 0);
    const feed = (bytes: Buffer, to: ServerHandshake | ClientHandshake): void => {
      for (let at = 0; at < bytes.length; at += size) to.receive(bytes, at, Math.min(at + size, bytes.length));
    };
    feed(bytesOf(caller.output()), listener);
    const hello = listener.nextEvent();
    assert.equal(hello?.type, "hello");
    const answered = agreeWithClient(server, hello.hello);
    assert.ok("agreement" in answered);
    const { codec, features, peerOffers, peerLimits } = answered.agreement;
    assert.deepEqual([codec, features, peerOffers, peerLimits], ["json", ["b"], ["said"], client.limits]);
    const offers = ["join", "say"];
    listener.welcome({ version: "2.1.0", offers, codec, features, limits: server.limits, ...identity });
    feed(bytesOf(listener.output()), caller);
    const happened = caller.nextEvent();
    assert.equal(happened?.type, "welcome");
    assert.deepEqual(happened.agreement.peerOffers, offers);
    assert.equal(happened.agreement.codec, codec);
    assert.deepEqual([listener.nextDeadline(), caller.nextDeadline()], [Infinity, Infinity]);
  }
});

test("what the server sends behind its welcome is given to the session", () => {
  const happened = answer({});
  assert.equal(happened?.type === "welcome" ? String(happened.rest) : "", "rest");
});

test("a refusal says what would be accepted", () => {
  const refusals: readonly (readonly [Partial<Hello>, string, RegExp])[] = [
    [{ contract: "files" }, "CONTRACT_UNKNOWN", /offers the contract "chat", not "files"/],
    [{ version: "1.9.0" }, "VERSION_UNSUPPORTED", /the server speaks 2\.x, upgrade the client \(it speaks 1\.9\.0\)/],
    [{ version: "3.0.0" }, "VERSION_UNSUPPORTED", /the server speaks 2\.x, upgrade the server/],
    [{ accepts: { from: "2.2.0", below: "3.0.0" } }, "VERSION_UNSUPPORTED", /speaks 2\.1\.0.*use an older client/],
    [{ codecs: ["xml"] }, "CODEC_UNSUPPORTED", /msgpack, json/],
  ];
  for (const [change, code, message] of refusals) {
    const answered = agreeWithClient(server, { ...helloOf(client), ...change });
    assert.ok("refusal" in answered);
    assert.equal(answered.refusal.code, code);
    assert.match(answered.refusal.message, message);
  }
});

test("the client gets the refusal as a typed error", () => {
  const listener = new ServerHandshake(0);
  const caller = new ClientHandshake(client, 0);
  const hello = bytesOf(caller.output());
  listener.receive(hello, 0, hello.length);
  listener.refuse({ code: "SERVER_BUSY", message: "too many sessions", retryAfterMs: 500 });
  const refusal = bytesOf(listener.output());
  caller.receive(refusal, 0, refusal.length);
  const happened = caller.nextEvent();
  assert.equal(happened?.type, "refused");
  assert.equal(happened.error.code, "SERVER_BUSY");
  assert.equal(happened.error.detail, "too many sessions");
  assert.equal(happened.retryAfterMs, 500);
});

test("the client does not take everything", () => {
  assert.equal(codeOf(answer({})), "welcome");
  assert.equal(codeOf(answer({ version: "3.0.0" })), "VERSION_UNSUPPORTED");
  assert.equal(codeOf(answer({ codec: "msgpack" })), "VERSION_UNSUPPORTED");
  assert.equal(codeOf(answer({ features: ["a"] })), "VERSION_UNSUPPORTED");
  assert.equal(codeOf(answer({ received: 3 })), "HANDSHAKE_INVALID");
});

test("SEMANTICS D.5: a counter outside what was acknowledged and what was sent is refused by the client", () => {
  assert.equal(codeOf(answer({ received: 7 }, { resume })), "welcome");
  assert.equal(codeOf(answer({ received: 9 }, { resume })), "welcome");
  assert.equal(codeOf(answer({ received: 6 }, { resume })), "HANDSHAKE_INVALID");
  assert.equal(codeOf(answer({ received: 10 }, { resume })), "HANDSHAKE_INVALID");
  assert.equal(codeOf(answer({ fresh: "server-restarted" }, { resume })), "welcome");
  assert.equal(codeOf(answer({}, { resume })), "HANDSHAKE_INVALID");
});

test("a program that is not zocalo is named by its first bytes", () => {
  const strangers: readonly (readonly [string, RegExp])[] = [
    ["GET / HTTP/1.1\r\n", /but HTTP;/],
    ["HTTP/1.1 400 Bad Request\r\n", /but HTTP;/],
    ["PRI * HTTP/2.0\r\n", /but HTTP;/],
    ["\x16\x03\x01\x02\x00", /but TLS;/],
    ["SSH-2.0-OpenSSH", /but SSH;/],
    ["hola\n", /but text \("hola\\n"\)/],
    ["ZOCALA", /but text/],
    ["\x00\xff", /but something else \(0x00ff\)/],
  ];
  for (const [text, detail] of strangers) {
    for (const machine of [new ServerHandshake(0), new ClientHandshake(client, 0)]) {
      machine.output();
      const bytes = Buffer.from(text, "latin1");
      machine.receive(bytes, 0, bytes.length);
      const happened = machine.nextEvent();
      assert.equal(happened?.type, "failed");
      assert.equal(happened.error.code, "PROTOCOL_MISMATCH");
      assert.match(happened.error.detail, detail);
      assert.deepEqual(machine.output(), []);
      assert.equal(machine.nextDeadline(), Infinity);
    }
  }
});

test("another version of the wire form gets a refusal that says so", () => {
  const machine = new ServerHandshake(0);
  const bytes = Buffer.concat([MAGIC.subarray(0, 7), Buffer.from([2, 0, 0, 0, 3, 1, 0xff, 0xff])]);
  machine.receive(bytes, 0, bytes.length);
  assert.equal(codeOf(machine.nextEvent()), "VERSION_UNSUPPORTED");
  const caller = new ClientHandshake(client, 0);
  const refusal = bytesOf(machine.output());
  caller.receive(refusal, 0, refusal.length);
  assert.equal(codeOf(caller.nextEvent()), "VERSION_UNSUPPORTED");
});

test("the handshake has a deadline, also while the server decides", () => {
  const machine = new ServerHandshake(100, { timeoutMs: 50 });
  assert.equal(machine.nextDeadline(), 150);
  machine.onDeadline(149);
  assert.equal(machine.nextEvent(), undefined);
  const hello = bytesOf(new ClientHandshake(client, 0).output());
  machine.receive(hello, 0, hello.length);
  machine.nextEvent();
  machine.onDeadline(150);
  assert.equal(codeOf(machine.nextEvent()), "TIMEOUT");
  machine.welcome({} as Welcome);
  assert.deepEqual(machine.output(), []);
});

test("an end is an error until there is an answer", () => {
  const silent = new ServerHandshake(0);
  silent.end();
  assert.match((silent.nextEvent() as { readonly error: ZocaloError }).error.detail, /without a word/);
  const caller = new ClientHandshake(client, 0);
  caller.receive(MAGIC, 0, 3);
  caller.end();
  assert.match((caller.nextEvent() as { readonly error: ZocaloError }).error.detail, /ended in the handshake/);
});

test("a client must wait for its answer", () => {
  const hello = bytesOf(new ClientHandshake(client, 0).output());
  for (const cut of [hello.length, hello.length + 1]) {
    const machine = new ServerHandshake(0);
    const bytes = Buffer.concat([hello, Buffer.from("x")]);
    machine.receive(bytes, 0, cut);
    if (cut === hello.length) {
      machine.nextEvent();
      machine.receive(bytes, cut, cut + 1);
    }
    assert.equal(codeOf(machine.nextEvent() as never), "HANDSHAKE_INVALID");
  }
});

test("SEMANTICS D.6: an unauthenticated peer retains at most what it has sent, and never more than the limit", () => {
  const machine = new ServerHandshake(0, { maxBytes: 1000 });
  const long = Buffer.concat([MAGIC, Buffer.from([0, 0, 0x03, 0xe8]), Buffer.alloc(900, 0x20)]);
  machine.receive(long, 0, long.length);
  assert.equal(machine.nextEvent(), undefined);
  assert.ok(machine.heldBytes <= long.length);
  const promise = new ServerHandshake(0, { maxBytes: 1000 });
  const huge = Buffer.concat([MAGIC, Buffer.from([0xff, 0xff, 0xff, 0xff])]);
  promise.receive(huge, 0, huge.length);
  assert.equal(codeOf(promise.nextEvent() as never), "FRAME_TOO_LONG");
  assert.ok(promise.heldBytes <= 16);
});

test("agreements are compared by value", () => {
  const agreed = agreeWithClient(server, helloOf(client));
  const again = agreeWithClient(server, JSON.parse(JSON.stringify(helloOf(client))) as Hello);
  assert.ok("agreement" in agreed && "agreement" in again);
  assert.equal(sameAgreement(agreed.agreement, again.agreement), true);
  assert.equal(sameAgreement(agreed.agreement, { ...again.agreement, codec: "bytes" }), false);
  const limits = { ...server.limits, maxCalls: 1 };
  assert.equal(sameAgreement(agreed.agreement, { ...again.agreement, limits }), false);
});

test("garbage gives one typed error and nothing else", () => {
  const good = bytesOf(new ClientHandshake(client, 0, { resume, auth: "x" }).output());
  const json = fc.jsonValue().map((value) => encodeHandshake(HELLO, value));
  const mutated = fc
    .tuple(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length))
    .map(([at, byte, cut]) => Buffer.concat([good.subarray(0, at), Buffer.of(byte), good.subarray(at + 1, cut)]));
  const noise = fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes));
  fc.assert(
    fc.property(fc.oneof(json, mutated, noise), fc.integer({ min: 1, max: 64 }), (bytes, size) => {
      const machine = new ServerHandshake(0);
      let failures = 0;
      const count = (): void => {
        for (let happened = machine.nextEvent(); happened !== undefined; happened = machine.nextEvent()) {
          if (happened.type === "hello") continue;
          failures += 1;
          assert.ok(happened.error instanceof ProtocolError, String(happened.error));
          assert.equal(happened.error.side, "remote");
        }
      };
      for (let at = 0; at < bytes.length; at += size) {
        machine.receive(bytes, at, Math.min(at + size, bytes.length));
        count();
      }
      machine.end();
      count();
      assert.ok(failures <= 1);
    }),
    { numRuns: 500 },
  );
});

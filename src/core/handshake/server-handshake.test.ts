import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { bytesOf, client, codeOf, helloOf, identity, resume, server } from "../../../test/fixtures/handshake-cases.ts";
import { ProtocolError, type ZocaloError } from "../errors.ts";
import { ClientHandshake } from "./client-handshake.ts";
import type { Welcome } from "./hello.ts";
import { agreeWithClient } from "./negotiate.ts";
import { HELLO, MAGIC } from "./preamble.ts";
import { ServerHandshake } from "./server-handshake.ts";

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
    // The client's contract has no `join`.
    assert.deepEqual(happened.agreement.peerOffers, ["", "say"]);
    assert.equal(happened.agreement.codec, codec);
    assert.deepEqual([listener.nextDeadline(), caller.nextDeadline()], [Infinity, Infinity]);
  }
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
  assert.match((silent.nextEvent() as { readonly error: ZocaloError }).error.detail, /without a hello/);
  const caller = new ClientHandshake(client, 0);
  caller.receive(MAGIC, 0, 3);
  caller.end();
  assert.match((caller.nextEvent() as { readonly error: ZocaloError }).error.detail, /during the handshake/);
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
    const caller = new ClientHandshake(client, 0);
    const refusal = bytesOf(machine.output());
    caller.receive(refusal, 0, refusal.length);
    assert.equal(codeOf(caller.nextEvent()), "HANDSHAKE_INVALID");
  }
});

// The rules are those of docs/semantics.md.
test("rule D6: an unauthenticated peer retains at most what it has sent, and never more than the limit", () => {
  const machine = new ServerHandshake(0);
  const long = Buffer.concat([MAGIC, Buffer.from([0, 0, 0x03, 0xe8]), Buffer.alloc(900, 0x20)]);
  machine.receive(long, 0, long.length);
  assert.equal(machine.nextEvent(), undefined);
  assert.ok(machine.heldBytes <= long.length);
  const promise = new ServerHandshake(0);
  const huge = Buffer.concat([MAGIC, Buffer.from([0xff, 0xff, 0xff, 0xff])]);
  promise.receive(huge, 0, huge.length);
  assert.equal(codeOf(promise.nextEvent() as never), "FRAME_TOO_LONG");
  assert.ok(promise.heldBytes <= 16);
});

test("garbage gives one typed error and nothing else", () => {
  const good = bytesOf(new ClientHandshake(client, 0, { resume, auth: "x" }).output());
  const json = fc.json().map((text) => {
    const body = Buffer.from(text);
    const head = Buffer.from([0, 0, 0, 0, HELLO]);
    head.writeUInt32BE(1 + body.length, 0);
    return Buffer.concat([MAGIC, head, body]);
  });
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

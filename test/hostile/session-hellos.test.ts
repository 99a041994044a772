/** Clients that never become one: what hellos may say, and what they may cost. */

import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import { test } from "node:test";
import { DEFAULT_LIMITS } from "../../src/core/handshake/limits.ts";
import { RawClient } from "../sessions/raw-client.ts";
import { nothingEscapes } from "./escapes.ts";
import { serveTarget } from "./session-target.ts";

nothingEscapes();

/** Instead of what the field of a hello should be. */
const absurd: Readonly<Record<string, readonly unknown[]>> = {
  contract: [null, 7, "x".repeat(65)],
  version: ["1.0.0-", "", "999999999999999999999.0.0", "1.0.0-00", "1.0.0-".padEnd(65, "a"), ["1.0.0"]],
  accepts: [null, [], { from: "1.0.0" }, { from: "", below: "2.0.0" }],
  offers: [{ length: 3 }, ["a", "a"], [["news"]], Array.from({ length: 1001 }, (_, index) => `m${index}`)],
  codecs: ["json", Array.from({ length: 65 }, (_, index) => `c${index}`)],
  features: [null, [1]],
  limits: [0, -1, 1.5, "64", null, 1e300].map((maxMessageBytes) => ({ ...DEFAULT_LIMITS, maxMessageBytes })),
  resume: [-1, 0.5, 2 ** 53, "0"].map((received) => {
    return { session: "s", token: "t", server: "i", attempt: 1, received, acknowledged: 0, sent: 0 };
  }),
};

test("hellos with absurd fields: each is refused with HANDSHAKE_INVALID, and told once", async () => {
  const target = await serveTarget();
  let count = 0;
  for (const [field, values] of Object.entries(absurd)) {
    for (const value of values) {
      const client = await RawClient.to(target.port);
      const { code, message } = await client.hello("room", { [field]: value });
      assert.equal(code, "HANDSHAKE_INVALID", `${field} ${JSON.stringify(value)}`);
      assert.match(String(message), new RegExp(`^hello\\.${field}\\b`));
      await client.untilEnd();
      client.close();
      count += 1;
    }
  }
  assert.deepEqual(target.told(), { HANDSHAKE_INVALID: count });
  await target.serves();
  await target.closes();
});

test("names that every object has, in a hello: nothing is polluted, and nothing is taken for a method", async () => {
  const before = Object.getOwnPropertyNames(Object.prototype);
  const target = await serveTarget();
  const names = ["__proto__", "then", "constructor", "toString"];
  for (const name of names) {
    const client = await RawClient.to(target.port);
    assert.equal((await client.hello(name))["code"], "CONTRACT_UNKNOWN");
    client.close();
  }
  const auth: unknown = JSON.parse('{"__proto__":{"admin":true}}');
  const polluting = await RawClient.to(target.port);
  assert.equal((await polluting.hello("room", { auth }))["code"], "HANDSHAKE_INVALID");
  polluting.close();
  const client = await RawClient.to(target.port);
  await client.hello("room", { offers: [...names, "news"], features: names });
  const [session] = [...target.server.sessions.values()];
  assert.ok(session !== undefined && !("then" in session) && !("admin" in {}));
  await session.remote.news("hola");
  // Methods are named by their places in the list of the client.
  assert.equal((await client.frameOf(0x40)).payload.readUInt16BE(), names.length);
  assert.deepEqual(Object.getOwnPropertyNames(Object.prototype), before);
  client.close();
  await target.closes();
});

test("clients that say hello and go, again and again: authenticate is at work for maxUnauthenticated of them", async () => {
  const waiting: ((principal: string) => void)[] = [];
  const target = await serveTarget({
    limits: { maxUnauthenticated: 3 },
    authenticate: () => new Promise<string>((resolve) => waiting.push(resolve)),
  });
  const { server, clock, port } = target;
  /** Says hello, and goes as soon as it is being decided about. */
  const comeAndGo = async (): Promise<void> => {
    const client = await RawClient.to(port);
    const { length } = waiting;
    void client.hello("room");
    while (waiting.length === length) await nextTurn();
    client.socket.resetAndDestroy();
    while (server.stats.unauthenticated > 0) await nextTurn();
  };
  for (let count = 0; count < 3; count += 1) await comeAndGo();
  const surplus = await RawClient.to(port);
  const refusal = surplus.hello("room");
  while (server.stats.declined < 4 && waiting.length < 4) await nextTurn();
  assert.equal(waiting.length, 3);
  assert.equal((await refusal)["code"], "SERVER_BUSY");
  waiting[1]?.("ana");
  await nextTurn();
  await comeAndGo();
  assert.equal(waiting.length, 4);
  // What has no end is not waited for for ever.
  await clock.advance(10_000);
  const client = await RawClient.to(port);
  const answer = client.hello("room");
  while (waiting.length === 4) await nextTurn();
  waiting[4]?.("ana");
  assert.equal(typeof (await answer)["session"], "string");
  surplus.close();
  client.close();
  await target.closes();
});

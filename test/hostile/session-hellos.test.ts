/** Clients that never become one: what hellos may say, and what they may cost. */

import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import { test } from "node:test";
import { RawClient } from "../sessions/raw-client.ts";
import { nothingEscapes } from "./escapes.ts";
import { serveTarget } from "./session-target.ts";

nothingEscapes();

test("clients that say hello and go, again and again: authenticate is at work for maxUnauthenticated of them", async () => {
  const waiting: ((principal: string) => void)[] = [];
  const target = await serveTarget({
    maxUnauthenticated: 3,
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

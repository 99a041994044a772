/** Hostile peers of a server of sessions: silence. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { RawClient } from "../sessions/raw-client.ts";
import { nothingEscapes } from "./escapes.ts";
import { serveTarget } from "./session-target.ts";

const SILENT = 5000;

nothingEscapes();

/** Silent connections, in portions that a backlog can hold; between them a client that keeps the rules is served. */
async function crowd(port: number, between: () => Promise<void>): Promise<readonly RawClient[]> {
  const clients: RawClient[] = [];
  while (clients.length < SILENT) {
    clients.push(...(await Promise.all(Array.from({ length: 100 }, () => RawClient.to(port)))));
    if (clients.length % 1000 === 0) await between();
  }
  return clients;
}

test(`${SILENT} silent connections: the oldest make room in turn, and clients are served`, async () => {
  const { server, serves, told, closes, port } = await serveTarget();
  const clients = await crowd(port, async () => {
    await serves();
    assert.ok(server.stats.unauthenticated <= 1000);
  });
  while (server.stats.listener.accepted < SILENT + SILENT / 1000) await nextTurn();
  await serves();
  assert.ok(server.stats.declined >= SILENT - 1000);
  assert.equal(server.stats.unauthenticated + server.stats.declined, SILENT);
  assert.deepEqual(told(), {});
  for (const client of clients) client.close();
  await closes();
});

test(`${SILENT} silent connections that are all held: clients are served, and silence ends in time`, async () => {
  const { server, clock, serves, told, closes, port } = await serveTarget({
    limits: { maxUnauthenticated: 2 * SILENT },
  });
  const clients = await crowd(port, serves);
  while (server.stats.unauthenticated < SILENT) await nextTurn();
  await serves();
  assert.equal(server.stats.heldBytes, 0);
  await clock.advance(10_000);
  for (const client of clients) assert.equal(await client.untilEnd(), "fin");
  // Until they are closed.
  while (server.stats.unauthenticated > 0) await nextTurn();
  assert.deepEqual(told(), { TIMEOUT: SILENT });
  await serves();
  for (const client of clients) client.close();
  await closes();
});

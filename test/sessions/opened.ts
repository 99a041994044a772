/**
 * `serveSessions` and `connectSession` for tests, and a register of all that a test has opened: what is still open when the test
 * ends is closed. Without it a failed assertion would leave sockets open, and the file would run into its time limit.
 */

import { afterEach } from "node:test";
import * as protocol from "../../src/protocol.ts";

/** Ways to end what was opened, in the order of opening. */
const endings: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

/** Calls `end` when the test is over, however it ends. It must do nothing when the test has closed the thing itself. */
export function atEnd(end: () => unknown): void {
  endings.push(end);
}

/** `serveSessions`, closed when the test is over. */
export const serveSessions = (async (...args: Parameters<typeof protocol.serveSessions>) => {
  const server = await protocol.serveSessions(...args);
  atEnd(() => server.close({ timeoutMs: 0 }));
  return server;
}) as typeof protocol.serveSessions;

/** `connectSession`, aborted when the test is over. */
export const connectSession = (async (...args: Parameters<typeof protocol.connectSession>) => {
  const session = await protocol.connectSession(...args);
  atEnd(() => session.abort());
  return session;
}) as typeof protocol.connectSession;

/** `serveStateless`, closed when the test is over. */
export const serveStateless = (async (...args: Parameters<typeof protocol.serveStateless>) => {
  const server = await protocol.serveStateless(...args);
  atEnd(() => server.close({ timeoutMs: 0 }));
  return server;
}) as typeof protocol.serveStateless;

/** No call is sent again by its client: on a busy machine a handler would run twice, and a test that counts would fail. */
const SENT_ONCE = { initialDelayMs: 60_000, minDelayMs: 60_000 };

/** `connectStateless`, closed when the test is over. Its calls are sent once only. */
export const connectStateless = (async (
  ...[contract, address, options]: Parameters<typeof protocol.connectStateless>
) => {
  const client = await protocol.connectStateless(contract, address, { retransmission: SENT_ONCE, ...options });
  atEnd(() => client.close({ timeoutMs: 0 }));
  return client;
}) as typeof protocol.connectStateless;

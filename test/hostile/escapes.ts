/** What must never come of a peer: an error that nobody caught, or a socket that nobody closed. */

import assert from "node:assert/strict";
import { afterEach } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { closeListeners } from "./listeners.ts";
import { openHandles } from "../soak/outcome.ts";

/** So many turns of the event loop must be enough for closed sockets to go. */
const TURNS = 20_000;

/** After each test of this file: no unhandled rejection, no uncaught exception, no socket left open. */
export function nothingEscapes(): void {
  const escaped: unknown[] = [];
  process.on("unhandledRejection", (reason) => escaped.push(reason));
  process.on("uncaughtExceptionMonitor", (error) => escaped.push(error));
  afterEach(async () => {
    await closeListeners();
    for (let turn = 0; turn < TURNS && openHandles().length > 0; turn += 1) await nextTurn();
    assert.deepEqual(escaped, []);
    assert.deepEqual(openHandles(), []);
  });
}

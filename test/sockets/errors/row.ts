/** One failure of one public operation, and the check of the error that it gives. */

import { type TestContext, test } from "node:test";
import assert from "node:assert/strict";
import { Address, connect, listen, type Listener, type StreamSocket, type ZocaloError } from "../../../src/index.ts";
import { assertError, type ExpectedError, reasonOf } from "../../../src/testing/expect-error.ts";

/** What the rows of one test need to be released when it ends. */
export interface Scene {
  /** Closes it when the row is over. */
  keep<T extends AsyncDisposable>(made: T): T;
}

/** One row of a table of failures. */
export interface Row extends ExpectedError {
  readonly name: string;
  /** Makes the call that fails. */
  readonly make: (scene: Scene) => unknown;
  /** The error must keep what it was made from. */
  readonly cause?: boolean;
  /** What the sentence must say. */
  readonly says?: RegExp;
  /** Addresses that must be there, as text that parses. */
  readonly knows?: readonly ("local" | "remote")[];
}

/** Runs each row as a test of its own. */
export function checkRows(rows: readonly Row[]): void {
  for (const row of rows) {
    test(row.name, async (context) => {
      const { name: _, make, cause, says, knows, ...expected } = row;
      const reason = await reasonOf((async () => await make(sceneOf(context)))());
      assertError(reason, expected);
      assertDetails(reason, cause ?? false, knows ?? []);
      if (says !== undefined) assert.match(reason.detail, says);
    });
  }
}

function assertDetails(error: ZocaloError, cause: boolean, knows: readonly ("local" | "remote")[]): void {
  if (cause) assert.ok(error.cause !== undefined, `no cause: ${error.message}`);
  for (const which of knows) {
    const text = error[which];
    assert.ok(text !== undefined, `${which} is missing: ${error.message}`);
    assert.equal(Address.parse(text).toString(), text);
  }
}

/** What is kept is released in reverse order, whatever state it is in. */
export function sceneOf(context: TestContext): Scene {
  const kept: AsyncDisposable[] = [];
  context.after(async () => {
    for (const one of kept.reverse()) {
      if ("abort" in one) (one as StreamSocket).abort();
      else await Promise.resolve(one[Symbol.asyncDispose]()).catch(() => undefined);
    }
  });
  return {
    keep: (made) => {
      kept.push(made);
      return made;
    },
  };
}

/** A promise that must not count as unhandled, because something else is looked at. */
export function ignored<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

/** Two ends of one TCP connection on loopback: the caller's, and the accepted one. */
export async function tcpPair(scene: Scene): Promise<readonly [StreamSocket, StreamSocket]> {
  const listener: Listener = scene.keep(await listen("tcp://127.0.0.1:0"));
  const [call, peer] = await Promise.all([connect(listener.localAddress), listener.accept()]);
  return [scene.keep(call), scene.keep(peer)];
}

/** Failures of public operations, and the check of the errors that they give. */

import { type TestContext, test } from "node:test";
import assert from "node:assert/strict";
import { Address, connect, listen, type Listener, type StreamSocket } from "../../../src/index.ts";
import { assertError, type ExpectedError, reasonOf } from "../../../src/testing/expect-error.ts";

/** What the rows of one test need to be released when it ends. */
export interface Scene {
  /** Closes it when the row is over. */
  keep<T extends AsyncDisposable>(made: T): T;
}

/** What the error of a call must be. */
export interface Failure extends ExpectedError {
  /** The error must keep what it was made from. */
  readonly cause?: boolean;
  /** What the sentence must say. */
  readonly says?: RegExp;
  /** Addresses that must be there, as text that parses. */
  readonly knows?: readonly ("local" | "remote")[];
}

/** Makes a call that fails. */
export type Failing = (scene: Scene) => unknown;

/** `failure(...).of(calls)` makes each call in a test of its own. All of them must fail alike. */
export function failure(one: Failure): { of(calls: Readonly<Record<string, Failing>>): void } {
  return {
    of(calls) {
      for (const [name, call] of Object.entries(calls)) {
        test(name, async (context) => {
          assertFailure(await reasonOf((async () => await call(sceneOf(context)))()), one);
        });
      }
    },
  };
}

function assertFailure(error: unknown, { cause = false, says = /./, knows = [], ...expected }: Failure): void {
  assertError(error, expected);
  assert.match(error.detail, says);
  if (cause) assert.ok(error.cause !== undefined, `no cause: ${error.message}`);
  for (const which of knows) {
    const text: string | undefined = error[which];
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

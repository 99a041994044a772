/** What every error of Zócalo must look like, and a check that a call failed with a certain one. */

import assert from "node:assert/strict";
import { type ErrorCode, type ErrorOutcome, type ErrorSide, errorCodes, ZocaloError } from "../core/errors.ts";

/** What an error is expected to be. What is left out is not checked. */
export interface ExpectedError {
  readonly code: ErrorCode;
  readonly op?: string | undefined;
  readonly side?: ErrorSide | undefined;
  readonly outcome?: ErrorOutcome | undefined;
  /** The class it must be of, exactly. */
  readonly type?: (new (...input: never[]) => ZocaloError) | undefined;
  readonly local?: string | undefined;
  readonly remote?: string | undefined;
}

const SIDES: readonly unknown[] = ["local", "remote", "system"];
const OUTCOMES: readonly unknown[] = ["none", "all", "unknown", undefined];

/** Fails unless `error` has the shape of an error of Zócalo: class, code, operation, side, outcome, text. */
export function assertErrorShape(error: unknown): asserts error is ZocaloError {
  assert.ok(error instanceof ZocaloError, `not an error of Zócalo: ${String(error)}`);
  assert.ok(errorCodes.includes(error.code), `not in the list of codes: ${error.code}`);
  assert.equal(error.name, error.constructor.name);
  assert.match(error.op, /^\w+$/);
  assert.ok(SIDES.includes(error.side), `no side: ${error.side}`);
  assert.ok(OUTCOMES.includes(error.outcome), `no outcome: ${error.outcome}`);
  const where = error.remote ?? error.local;
  const place = where === undefined ? "" : ` ${where}`;
  assert.equal(error.message, `${error.code}: ${error.op}${place}: ${error.detail}`);
  assert.notEqual(error.detail, "");
}

/** Fails unless `object` has these values; it may have others. */
export function assertFields<T extends object>(object: T, expected: Partial<T>): void {
  const names = Object.keys(expected) as (keyof T)[];
  assert.deepEqual(Object.fromEntries(names.map((name) => [name, object[name]])), { ...expected });
}

/** Fails unless `error` is the expected one. */
export function assertError(error: unknown, expected: ExpectedError): asserts error is ZocaloError {
  assertErrorShape(error);
  const { type, ...fields } = expected;
  for (const name of Object.keys(fields) as (keyof typeof fields)[]) {
    assert.equal(error[name], fields[name], `${name} of ${error.message}`);
  }
  if (type !== undefined) assert.equal(error.constructor, type, error.message);
}

/** The reason with which `call` rejects; fails when it does not. */
export async function reasonOf(call: Promise<unknown>): Promise<unknown> {
  const outcome = await call.then(
    () => undefined,
    (reason: unknown) => ({ reason }),
  );
  assert.ok(outcome !== undefined, "the call should have failed");
  return outcome.reason;
}

/** Fails unless `call` rejects with the expected error; answers the error. */
export async function expectError(call: Promise<unknown>, expected: ExpectedError): Promise<ZocaloError> {
  const reason = await reasonOf(call);
  assertError(reason, expected);
  return reason;
}

/** Aborts a call that waits; fails unless it rejects with the reason of its signal. */
export async function expectAborted(call: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
  const controller = new AbortController();
  const reason = new Error("changed my mind");
  const rejected = reasonOf(call(controller.signal));
  controller.abort(reason);
  assert.equal(await rejected, reason);
}

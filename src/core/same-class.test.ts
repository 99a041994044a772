import assert from "node:assert/strict";
import { test } from "node:test";
import type * as errors from "./errors.ts";
import { ConnectionError, TimeoutError, ZocaloError } from "./errors.ts";

test("instanceof knows the errors of another copy of the package, and their classes", async () => {
  const copy = (await import(new URL("./errors.js?copy", import.meta.url).href)) as typeof errors;
  assert.notEqual(copy.ZocaloError, ZocaloError);
  const late = new copy.TimeoutError("TIMEOUT", { op: "read" });
  assert.ok(late instanceof ZocaloError);
  assert.ok(late instanceof TimeoutError);
  assert.ok(!(late instanceof ConnectionError));
  assert.ok(new TimeoutError("TIMEOUT", { op: "read" }) instanceof copy.TimeoutError);
  for (const value of [new Error("x"), { name: "TimeoutError", code: "TIMEOUT" }, null, undefined, "TIMEOUT"]) {
    const unknown: unknown = value;
    assert.ok(!(unknown instanceof ZocaloError) && !(unknown instanceof TimeoutError));
  }
});

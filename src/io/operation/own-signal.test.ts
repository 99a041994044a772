import assert from "node:assert/strict";
import { test } from "node:test";
import { OwnSignal } from "./own-signal.ts";

test("a signal of its own aborts with the reason of the other one, also when that was aborted before, and not once it is released", () => {
  const source = new AbortController();
  const [own, released] = [new OwnSignal(source.signal), new OwnSignal(source.signal)];
  released.release();
  assert.equal(own.signal.aborted, false);
  source.abort("enough");
  const late = new OwnSignal(source.signal);
  assert.deepEqual(
    [own, released, late].map(({ signal }) => [signal.aborted, signal.reason as unknown]),
    [
      [true, "enough"],
      [false, undefined],
      [true, "enough"],
    ],
  );
});

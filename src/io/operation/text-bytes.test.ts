import assert from "node:assert/strict";
import { test } from "node:test";
import { textBytes } from "./text-bytes.ts";

test("a text becomes its UTF-8, and half of a surrogate pair is an error of the call", () => {
  const context = (): { op: string; remote: string } => ({ op: "write", remote: "tcp://192.0.2.1:1" });
  for (const text of ["", "hola", "ñandú 🦙", "\ufffd"]) {
    assert.deepEqual(textBytes(text, "data", context), Buffer.from(text));
  }
  for (const text of ["\ud83d", "a\udc00b", "🦙".slice(1)]) {
    assert.throws(() => textBytes(text, "delimiter", context), {
      code: "OPTION_INVALID",
      op: "write",
      remote: "tcp://192.0.2.1:1",
      side: "local",
      outcome: "none",
      detail: /^delimiter has half of a surrogate pair/,
    });
  }
});

import assert from "node:assert/strict";
import { ProtocolError } from "./errors.ts";
import { cutText, peerError, quoted } from "./peer-error.ts";
import { test } from "node:test";

test("it is a ProtocolError with all details and no stack, and the next error has its stack", () => {
  const cause = new Error("cause");
  const error = peerError("FRAME_INVALID", { op: "decode", detail: "it is wrong", cause });
  assert.ok(error instanceof ProtocolError);
  const { code, side, op, detail } = error;
  assert.deepEqual(
    { code, side, op, detail, cause: error.cause },
    { code: "FRAME_INVALID", side: "remote", op: "decode", detail: "it is wrong", cause },
  );
  assert.doesNotMatch(String(error.stack), /\n +at /);
  assert.match(String(new Error("next").stack), /\n +at /);
});

test("what cannot be made changes nothing for the next error", () => {
  const details = {
    get op(): never {
      throw new Error("no");
    },
  };
  assert.throws(() => peerError("FRAME_INVALID", details));
  assert.match(String(new Error("next").stack), /\n +at /);
});

test("a text is cut, and has no half of a surrogate pair", () => {
  assert.equal(cutText("hola", 10), "hola");
  assert.equal(cutText("hola", 3), "hol");
  assert.equal(cutText("🦙🦙", 4), "🦙🦙");
  assert.equal(cutText("🦙🦙", 3), "🦙\ufffd");
  assert.equal(cutText("a\udc00b", 10), "a\ufffdb");
});

test("a text in quotes gives no orders to a terminal, and stays short", () => {
  assert.equal(quoted('a"\n\u001b[2J\u007f\u009b2J\u2028ñ'), '"a\\"\\n\\u001b[2J\\u007f\\u009b2J\\u2028ñ"');
  assert.equal(quoted("x".repeat(300)), `"${"x".repeat(200)}..."`);
});

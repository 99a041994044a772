import assert from "node:assert/strict";
import { test } from "node:test";
import { ProtocolError } from "./errors.ts";
import { peerError } from "./peer-error.ts";

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

import assert from "node:assert/strict";
import { test } from "node:test";
import { ProtocolError, UsageError } from "../../core/errors.ts";
import { frameInvalid, messageTooLong } from "../../core/framing/frame-error.ts";
import { codecFailure } from "./restated.ts";

const context = { op: "receive", local: "tcp://127.0.0.1:1", remote: "tcp://127.0.0.1:2" };

test("an error of a codec names the call and both addresses", () => {
  const cause = new Error("beneath");
  const error = codecFailure(frameInvalid("lines", "no line", cause), context);
  assert.ok(error instanceof ProtocolError);
  const { code, op, local, remote, side, detail } = error;
  assert.deepEqual(
    { code, op, local, remote, side, detail },
    { ...context, code: "FRAME_INVALID", side: "remote", detail: "lines: no line" },
  );
  assert.equal(error.cause, cause);
  const unsent = codecFailure(messageTooLong("lines", 9, 8), { ...context, op: "send" });
  assert.ok(unsent instanceof UsageError);
  assert.deepEqual([unsent.code, unsent.op, unsent.side, unsent.outcome], ["FRAME_TOO_LONG", "send", "local", "none"]);
});

test("whatever else was thrown stays as it is", () => {
  const thrown = new UsageError("OPTION_INVALID", { op: "ours", detail: "thrown by a handler" });
  for (const one of [thrown, new Error("x"), "x", undefined]) assert.equal(codecFailure(one, context), one);
});

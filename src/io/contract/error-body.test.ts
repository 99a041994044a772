import assert from "node:assert/strict";
import { test } from "node:test";
import { RemoteError } from "../../core/contract/remote-error.ts";
import { ERROR_FORMS, errorBody, readErrorBody } from "./error-body.ts";

const full = new RemoteError("FULL", "no room", { data: { seats: 12 } });

function told(error: RemoteError, form: number): readonly unknown[] {
  const { bytes, start, end } = errorBody(error, form);
  const { code, message, data } = readErrorBody(Buffer.from(bytes), start, end);
  return [code, message, data];
}

test("each form is shorter, and the last one can always be sent", () => {
  const forms = Array.from({ length: ERROR_FORMS }, (_, form) => told(full, form));
  assert.deepEqual(forms, [
    ["FULL", "no room", { seats: 12 }],
    ["FULL", "no room", undefined],
    ["FULL", "FULL", undefined],
    ["INTERNAL", "INTERNAL", undefined],
  ]);
  assert.ok(errorBody(full, ERROR_FORMS - 1).end < 64 - 5);
});

test("data that JSON cannot carry is refused, and costs no code", () => {
  for (const data of [new Map(), { at: new Date(0) }, 1n, [undefined], Number.NaN, "\ud83e", () => 1]) {
    const error = new RemoteError("FULL", "no room", { data });
    assert.throws(() => errorBody(error, 0), {
      code: "FRAME_INVALID",
      side: "local",
      detail: /json: a part of the message .*\(value\.data/,
    });
    assert.deepEqual(told(error, 1), ["FULL", "no room", undefined]);
  }
});

test("what came keeps its code without data that would change; nonsense is INTERNAL", () => {
  const read = (text: string): RemoteError => readErrorBody(Buffer.from(text), 0, text.length);
  const { code, message, data } = read('{"code":"FULL","message":"no room","data":9007199254740993}');
  assert.deepEqual([code, message, data], ["FULL", "no room", undefined]);
  for (const text of ["nonsense", "", "null", `{"code":"FULL","data":${"[".repeat(100)}`])
    assert.equal(read(text).code, "INTERNAL");
});

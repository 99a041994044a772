import assert from "node:assert/strict";
import { test } from "node:test";
import { widenReceiveBuffer } from "./bind-transport.ts";

/** A socket of a system that gives `most` and refuses more. Answers what was asked for, and what it has then. */
function widened(has: number, most: number, wanted: number | undefined): [asked: number[], has: number] {
  const asked: number[] = [];
  let size = has;
  const setRecvBufferSize = (bytes: number): void => {
    asked.push(bytes);
    if (bytes > most) throw new Error("ENOBUFS");
    size = bytes;
  };
  widenReceiveBuffer({ getRecvBufferSize: () => size, setRecvBufferSize }, wanted);
  return [asked, size];
}

test("a receive buffer grows as far as the system lets it, and never shrinks", () => {
  assert.deepEqual(widened(40_000, 5_000_000, 4_194_304), [[4_194_304], 4_194_304]);
  assert.deepEqual(widened(40_000, 2_000_000, 4_194_304), [[4_194_304, 2_097_152, 1_048_576], 1_048_576]);
  assert.deepEqual(widened(40_000, 40_000, 4_194_304)[1], 40_000);
  assert.deepEqual(widened(8_000_000, 9_000_000, 4_194_304), [[], 8_000_000]);
  assert.deepEqual(widened(40_000, 5_000_000, undefined), [[], 40_000]);
});

test("a runtime without these calls opens its sockets all the same", () => {
  const missing = (): never => {
    throw new Error("not implemented");
  };
  widenReceiveBuffer({ getRecvBufferSize: missing, setRecvBufferSize: missing }, 4_194_304);
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { codecSuite } from "../../../testing/codec/suite.ts";
import { fixedSize } from "./fixed-size.ts";

for (const bytes of [2, 7, 300]) {
  codecSuite(`fixedSize(${bytes})`, () => fixedSize(bytes), {
    messages: [Buffer.alloc(bytes, 1), Buffer.alloc(bytes), Buffer.alloc(bytes, 255)],
    sized: () => Buffer.alloc(bytes, 9),
    unsendable: [
      { message: Buffer.alloc(0), code: "FRAME_INVALID" },
      { message: Buffer.alloc(bytes - 1), code: "FRAME_INVALID" },
      { message: Buffer.alloc(bytes + 1), code: "FRAME_INVALID" },
    ],
  });
}

describe("fixedSize", () => {
  it("checks its size", () => {
    for (const bytes of [0, -1, 1.5, Number.NaN]) assert.throws(() => fixedSize(bytes), { code: "OPTION_INVALID" });
  });

  it("delivers single bytes", () => {
    const seen: number[] = [];
    fixedSize(1)
      .createDecoder()
      .decode(Buffer.from([5, 6, 7]), 0, 3, (message) => seen.push(message[0] as number));
    assert.deepEqual(seen, [5, 6, 7]);
  });
});

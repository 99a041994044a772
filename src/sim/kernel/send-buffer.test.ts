import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SendBuffer } from "./send-buffer.ts";

test("what goes in comes out, however it is cut; the input may be reused at once", () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 50 })),
      fc.array(fc.integer({ min: 1, max: 70 })),
      (inputs, cuts) => {
        const expected = Buffer.concat(inputs);
        const buffer = new SendBuffer();
        for (const input of inputs) {
          const scratch = Buffer.from(input);
          buffer.append(scratch);
          scratch.fill(0xff);
        }
        const out: Buffer[] = [];
        for (let turn = 0; buffer.length > 0; turn += 1) {
          out.push(buffer.take(Math.min(buffer.length, cuts[turn % Math.max(1, cuts.length)] ?? 7)));
        }
        assert.deepEqual(Buffer.concat(out), expected);
      },
    ),
  );
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decoded, encoded } from "../../testing/codec/check.ts";
import { bytes } from "./formats/bytes.ts";
import { chain } from "./frame-codec.ts";
import { cobs } from "./boundaries/cobs.ts";
import { json } from "./formats/json.ts";
import { lines } from "./boundaries/lines.ts";
import { slip } from "./boundaries/slip.ts";
import { text } from "./formats/text.ts";

describe("chain", () => {
  it("is named after both parts, and has the limit of the boundary", () => {
    const codec = chain(lines({ maxLineBytes: 77 }), json());
    assert.deepEqual([codec.name, codec.maxFrameBytes, codec.createDecoder().maxFrameBytes], ["lines+json", 77, 77]);
  });

  it("names the format that refused a message, or the boundary", () => {
    assert.throws(() => encoded(chain(lines({ maxLineBytes: 4 }), json()), [[1, 2, 3]]), { detail: /^lines: / });
    assert.throws(() => encoded(chain(lines(), json()), [undefined]), { detail: /^json: / });
  });

  it("gives any boundary any format, again and again", () => {
    for (const boundary of [lines(), cobs(), slip(), chain(cobs(), json())]) {
      const codec = chain(boundary, text());
      assert.deepEqual(decoded(codec.createDecoder(), [encoded(codec, ["ñandú"])]).messages, ["ñandú"]);
      const raw = chain(codec, bytes());
      assert.deepEqual(decoded(raw.createDecoder(), [encoded(codec, ["A"])]).messages, [Buffer.from([65])]);
    }
  });

  it("refuses bytes that are none", () => {
    assert.throws(() => encoded(chain(lines(), bytes()), ["text" as unknown as Uint8Array]), { code: "FRAME_INVALID" });
  });
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { toHexDump } from "./visible-text.ts";

test("sixteen bytes a line, as hexadecimal and as text", () => {
  const dump = toHexDump();
  assert.equal(
    dump(Buffer.from("hola, plaza\n\x00\x7f\xffz", "latin1")),
    "00000000  68 6f 6c 61 2c 20 70 6c  61 7a 61 0a 00 7f ff 7a  |hola, plaza....z|\n",
  );
});

test("each piece begins a line, and the offset goes on", () => {
  const dump = toHexDump();
  assert.match(dump(Buffer.alloc(17, "a")), /^00000000 .*\|a{16}\|\n00000010  61 +\|a\|\n$/);
  assert.match(dump(Buffer.from("b")), /^00000011  62 +\|b\|\n$/);
  assert.equal(dump(Buffer.alloc(0)), "");
});

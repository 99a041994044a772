import assert from "node:assert/strict";
import { test } from "node:test";
import { dropsIn, inodeOf, kernelDropsOf } from "./kernel-drops.ts";

const TABLE = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
12716: 0100007F:AF27 00000000:0000 07 00000000:00000000 00:00000000 00000000    77        0 29948949 2 000000004ff3c58f 0
14496: 0100007F:AF27 00000000:0000 07 00000000:00033C00 00:00000000 00000000 29948     9999 77 2 00000000de4c9f6e 4711
    1: 00000000000000000000000001000000:B61B 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 8 2 0000000000000000 4294967295
`;

test("the drops of a socket stand in its line, however its columns look like those of others", () => {
  assert.equal(dropsIn(TABLE, "29948949"), 0);
  assert.equal(dropsIn(TABLE, "77"), 4711);
  assert.equal(dropsIn(TABLE, "8"), 4_294_967_295);
  for (const unknown of ["0", "9", "2", "9999", "29948", "2994894", "inode"]) {
    assert.equal(dropsIn(TABLE, unknown), undefined, unknown);
  }
});

test("a table without the column, or none at all, answers undefined", async () => {
  assert.equal(dropsIn("1: 0100007F:AF27 00000000:0000 07 0:0 00:0 0 0 0 77 2 0\n", "77"), undefined);
  assert.equal(dropsIn("", "77"), undefined);
  assert.equal(await kernelDropsOf("no such socket", 4), undefined);
  assert.equal(inodeOf(1_000_000), undefined);
});

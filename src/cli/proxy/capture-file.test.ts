import assert from "node:assert/strict";
import { openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { temporaryFolder } from "../../../test/fixtures/temporary-folder.ts";
import { CaptureFile } from "./capture-file.ts";

test("blocks of a turn are in the file at its end, in order, and much at once without waiting", async (t) => {
  const path = join(temporaryFolder(t), "file");
  const file = new CaptureFile(openSync(path, "w"), assert.ifError);
  file.write(Buffer.from("one "));
  file.write(Buffer.from("two "));
  assert.equal(readFileSync(path, "utf8"), "");
  await setImmediate();
  await setImmediate();
  assert.equal(readFileSync(path, "utf8"), "one two ");
  file.write(Buffer.alloc(1_048_576, "x"));
  assert.equal(readFileSync(path).length, 8 + 1_048_576);
  file.write(Buffer.from("end"));
  file.close();
  assert.ok(readFileSync(path, "utf8").endsWith("xend"));
  file.write(Buffer.from("late"));
});

test("a write that fails is told once, and nothing is written after it", (t) => {
  const path = join(temporaryFolder(t), "file");
  openSync(path, "w");
  const told: string[] = [];
  // A file that is open for reading alone.
  const file = new CaptureFile(openSync(path, "r"), ({ message }) => told.push(message));
  file.write(Buffer.alloc(1_048_576));
  file.write(Buffer.alloc(1_048_576));
  file.close();
  assert.equal(told.length, 1);
  assert.match(told[0] ?? "", /EBADF/);
});

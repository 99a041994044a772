import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { shellWord } from "./sim-flags.ts";

test("a shell reads what was written, and plain paths stay plain", { skip: process.platform === "win32" }, () => {
  assert.equal(shellWord("test/replay/half-open.json"), "test/replay/half-open.json");
  for (const text of ["", "my dir's/re tried.js", "$HOME", "a\\b", '"`x`";*?', "~", "línea\n2"]) {
    const said = execFileSync("/bin/sh", ["-c", `printf %s ${shellWord(text)}`], { encoding: "utf8" });
    assert.equal(said, text);
  }
});

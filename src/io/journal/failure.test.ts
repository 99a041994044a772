import assert from "node:assert/strict";
import { test } from "node:test";
import { ZocaloError } from "../../core/errors.ts";
import { notOpen, stale, unavailable, unknownOutcome } from "./failure.ts";

test("an error of a journal says whether something was written", () => {
  const cause = new Error("connection lost");
  const errors = [stale("commit"), unavailable("append", undefined, cause), notOpen("read"), unknownOutcome("remove")];
  assert.deepEqual(
    errors.map(({ code, op, outcome }) => [code, op, outcome]),
    [
      ["JOURNAL_STALE", "commit", "none"],
      ["JOURNAL_UNAVAILABLE", "append", "none"],
      ["JOURNAL_UNAVAILABLE", "read", "none"],
      ["JOURNAL_UNKNOWN", "remove", "unknown"],
    ],
  );
  assert.equal(errors[1]?.cause, cause);
});

test("what happens to sessions in a journal is the fault of neither program", () => {
  for (const code of ["SESSION_MOVED", "JOURNAL_RECORD_INVALID", "JOURNAL_UNKNOWN"] as const) {
    assert.equal(new ZocaloError(code, { op: "commit" }).side, "system");
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { atCall } from "./at-call.ts";
import { describeCode, errorCodes, UsageError, ZocaloError } from "./errors.ts";

test("an error says what its code means at this call, where that is not the usual", () => {
  const joined = new ZocaloError("ADDRESS_IN_USE", { op: "joinGroup" });
  assert.deepEqual([joined.detail, joined.side], ["this datagram socket is in that group already", "local"]);
  const listening = new ZocaloError("ADDRESS_IN_USE", { op: "listen" });
  assert.equal(listening.detail, describeCode("ADDRESS_IN_USE").detail);
  assert.equal(listening.side, "system");
});

test("what the call itself says wins", () => {
  const error = new UsageError("ADDRESS_IN_USE", { op: "joinGroup", detail: "told", side: "remote" });
  assert.deepEqual([error.detail, error.side], ["told", "remote"]);
});

test("every sentence is of a code, and says what to do about a call that has it", () => {
  let count = 0;
  const operations = "listen accept connect bind read send receive startTls joinGroup leaveGroup setMulticastInterface";
  for (const op of operations.split(" ")) {
    for (const code of errorCodes) {
      const [detail, side] = atCall(op, code) ?? [];
      if (detail === undefined) continue;
      count += 1;
      assert.notEqual(detail, describeCode(code).detail);
      assert.notEqual(side, describeCode(code).side, `${op} ${code}: the side is the usual one`);
    }
  }
  assert.ok(count > 20);
});

test("names that every object has are no operations", () => {
  for (const op of ["constructor", "__proto__", "toString"]) {
    assert.equal(atCall(op, "CLOSED"), undefined);
    assert.equal(new ZocaloError("CLOSED", { op }).detail, describeCode("CLOSED").detail);
  }
});

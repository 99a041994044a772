import assert from "node:assert/strict";
import { test } from "node:test";
import type { UsageError } from "../errors.ts";
import { type FaultList, formatFaultList, parseFaultList } from "./fault-list.ts";

const list: FaultList = {
  format: 1,
  simulation: "orders",
  seed: 17,
  failure: 'SIM_INVARIANT always "x"',
  chaosMs: 10_000,
  choices: { cutReads: true, permute: false, latency: { kind: "uniform", fromMs: 1, toMs: 5 } },
  faults: [
    { atMs: 5, lastsMs: 20, kind: "loss", from: "a", to: "*", chance: 0.25 },
    { atMs: 9, lastsMs: 1, kind: "latency", from: "a", to: "b", latency: 7 },
    { atMs: 10, lastsMs: 100, kind: "crash", host: "b" },
    { atMs: 11, lastsMs: 100, kind: "skew", host: "b", skewMs: 5 },
  ],
};

test("a list that is written and read again is the same, with a line for each fault", () => {
  const text = formatFaultList(list);
  assert.deepEqual(parseFaultList(text), list);
  assert.equal(text.match(/^ {4}\{.*\},?$/gm)?.length, 4);
  const { failure: _failure, ...passed } = { ...list, faults: [] };
  assert.deepEqual(parseFaultList(formatFaultList(passed)), passed);
});

test("what is no list is refused, and the field is named", () => {
  const wrong: readonly (readonly [change: object, field: RegExp])[] = [
    [{ format: 2 }, /format must be 1, not 2/],
    [{ seed: -1 }, /seed must be a whole number/],
    [{ seed: 0.5 }, /seed must be/],
    [{ simulation: 3 }, /simulation must be a string/],
    [{ chaosMs: "5" }, /chaosMs must be a number/],
    [{ choices: [] }, /choices must be an object/],
    [{ choices: { ...list.choices, permute: 1 } }, /choices.permute must be true or false/],
    [
      { choices: { ...list.choices, latency: { kind: "uniform", fromMs: -1, toMs: 2 } } },
      /choices.latency.fromMs must be/,
    ],
    [{ faults: {} }, /faults must be an array/],
    [{ faults: [{ ...list.faults[0], kind: "meteor" }] }, /faults\[0\].kind must be one of "latency", "loss"/],
    [{ faults: [{ ...list.faults[0], chance: 2 }] }, /faults\[0\].chance must be a probability/],
    [{ faults: [{ ...list.faults[0], kind: "latency", latency: { kind: "uniform", fromMs: 2, toMs: 1 } }] }, /latency/],
    [{ faults: [{ ...list.faults[0], chance: undefined }] }, /faults\[0\].chance must be a probability/],
    [{ faults: [{ ...list.faults[0], to: undefined }] }, /faults\[0\].to must be a string/],
    [{ faults: [{ ...list.faults[3], skewMs: -5 }] }, /faults\[0\].skewMs must be a number from 0 on/],
    [{ faults: [{ ...list.faults[2], atMs: -1 }] }, /faults\[0\].atMs must be a number from 0 on/],
    [
      { faults: [list.faults[0], { ...list.faults[0], kind: "slicing" }] },
      /faults\[1\].kind "slicing" is for zocalo\/proxy/,
    ],
    [{ faults: [{ ...list.faults[0], kind: "timeout" }] }, /faults\[0\].kind "timeout" is for zocalo\/proxy alone/],
    [{ faults: [{ ...list.faults[0], when: { connections: "1" } }] }, /faults\[0\].when is for zocalo\/proxy alone/],
    [{ faults: [{ ...list.faults[0], middlebox: true }] }, /faults\[0\].middlebox is for zocalo\/proxy alone/],
    [{ faults: [{ ...list.faults[0], proxy: "db" }] }, /faults\[0\].proxy is for zocalo\/proxy alone/],
  ];
  for (const [change, message] of wrong) {
    const refused = (error: UsageError): boolean => error.code === "OPTION_INVALID" && message.test(error.message);
    assert.throws(() => parseFaultList(JSON.stringify({ ...list, ...change })), refused, String(message));
  }
  for (const text of ["", "[]", "null", "3", "{"])
    assert.throws(() => parseFaultList(text), { code: "OPTION_INVALID" });
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { numberText, TwoNumbers, typedNumber } from "./typed-number.ts";

test("a point and a comma stand before decimals; what is no number stays as it is", () => {
  for (const [text, number] of [
    ["1000", 1000],
    [" 7 ", 7],
    ["0,5", 0.5],
    ["0,125", 0.125],
    ["2.25", 2.25],
    ["1,0000", 1],
    ["1234,567", 1234.567],
    ["1e3", 1000],
    ["much", "much"],
    ["1,5,2", "1,5,2"],
    ["1 000", "1 000"],
  ] as const) {
    assert.equal(typedNumber(text), number, text);
  }
});

test("what may be a thousand or one is neither", () => {
  const readings = (text: string): readonly string[] => {
    try {
      typedNumber(text);
    } catch (error) {
      if (error instanceof TwoNumbers) return error.readings;
    }
    return [];
  };
  assert.deepEqual(readings("1,000"), ["1000", "1"]);
  assert.deepEqual(readings("2.500"), ["2500", "2.5"]);
  assert.deepEqual(readings("1,000,000"), ["1000000"]);
  assert.deepEqual(readings("-1.250,750"), ["-1250750"]);
});

test("what a form shows is read as it was", () => {
  for (const number of [1.234, 999.001, 1000, 0.125, -2.125, 1e21, 12_345.678])
    assert.equal(typedNumber(numberText(number)), number, numberText(number));
});

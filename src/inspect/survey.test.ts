import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Cell, cellFrom, cellOf, heatMap, type Surveyed } from "./survey.ts";

const session = (roundTripMs: number, heldBytes: number): Surveyed => ({
  id: 1,
  owner: {},
  roundTripMs,
  heldBytes,
  rate: -1,
  since: 0,
});

test("a session stands between the limits of its cell", () => {
  const { roundTripMs, heldBytes } = heatMap([]);
  const unknown = roundTripMs.length + 1;
  for (const [figures, cell] of [
    [
      [0, 0],
      [0, 0],
    ],
    [
      [0.49, 1],
      [0, 1],
    ],
    [
      [0.5, 999],
      [1, 1],
    ],
    [
      [1, 1000],
      [2, 2],
    ],
    [
      [1e9, 1e12],
      [roundTripMs.length, heldBytes.length],
    ],
    [
      [-1, 0],
      [unknown, 0],
    ],
  ] as [[number, number], Cell][]) {
    assert.deepEqual(cellOf(session(...figures)), cell, String(figures));
  }
});

test("each session is counted once, in the cell that a question for it names", () => {
  const figures = fc.tuple(
    fc.oneof(fc.constant(-1), fc.double({ min: 0, max: 1e5, noNaN: true })),
    fc.integer({ min: 0, max: 1e9 }),
  );
  fc.assert(
    fc.property(fc.array(figures, { maxLength: 50 }), (all) => {
      const sessions = all.map((one) => session(...one));
      const { cells, sessions: count } = heatMap(sessions);
      assert.equal(count, sessions.length);
      for (const [row, counts] of cells.entries()) {
        for (const [column, found] of counts.entries()) {
          const cell = cellFrom(`${column},${row}`);
          assert.deepEqual(cell, [column, row]);
          const wanted = sessions.filter((one) => String(cellOf(one)) === String(cell)).length;
          assert.equal(found, wanted);
        }
      }
    }),
  );
});

test("what is no cell is no question", () => {
  for (const text of ["", "1", "1,", ",1", "-1,0", "14,0", "0,10", "1,1,1", "1e0,1", "999,0"]) {
    assert.equal(cellFrom(text), undefined, text);
  }
});

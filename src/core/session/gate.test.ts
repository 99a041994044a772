import assert from "node:assert/strict";
import { test } from "node:test";
import { Gate, type SessionSnapshot, takenOver } from "./gate.ts";

const frame = Buffer.from("x");
const KEPT: SessionSnapshot = {
  received: 3,
  doneTo: 9,
  open: [5],
  begun: [],
  again: 0,
  suspects: 0,
  acknowledged: 0,
  sent: 2,
  frames: [],
  nextId: 2,
  unfinished: [{ number: 2, frame }],
};

test("what another process has done is known by its number, but for what it left open", () => {
  const gate = new Gate(KEPT);
  const done = Array.from({ length: 10 }, (_, index) => index + 1).filter((number) => gate.isDone(number));
  assert.deepEqual(done, [1, 3, 4, 6, 7, 8, 9]);
  assert.deepEqual(gate.takeAgain(), { number: 2, frame });
  assert.equal(gate.takeAgain(), undefined);
});

test("what is kept goes up to the first request that is not finished, and says what is done behind it", () => {
  const gate = new Gate();
  const unfinished = [4, 6, 8, 9].map((number) => ({ number, frame }));
  assert.deepEqual(gate.progress(9, unfinished, false), { received: 3, doneTo: 7, open: [4, 6], unfinished: [] });
  assert.deepEqual(gate.progress(9, unfinished, true), { received: 9, doneTo: 7, open: [], unfinished });
  assert.deepEqual(gate.progress(9, [], false), { received: 9, doneTo: 9, open: [], unfinished: [] });
});

test("what was acknowledged is kept with its frame, as it does not come again", () => {
  const gate = new Gate();
  assert.equal(gate.keep(6, 1), true);
  assert.equal(gate.keep(6, 2), false);
  const unfinished = [4, 7].map((number) => ({ number, frame }));
  const { received, open, unfinished: kept } = gate.progress(8, unfinished, false);
  assert.deepEqual([received, open, kept], [6, [7], [{ number: 4, frame }]]);
});

test("what is done and has not come again stays done", () => {
  const gate = new Gate(KEPT);
  gate.takeAgain();
  assert.deepEqual(gate.progress(4, [], false), { received: 4, doneTo: 9, open: [5], unfinished: [] });
});

test("who takes a session over suspects what was sent again to the one before, as far as it is not done", () => {
  const suspects = (kept: Partial<SessionSnapshot>): number => {
    const next = takenOver({ ...KEPT, open: [], unfinished: [], received: 5, doneTo: 5, ...kept }, 30);
    assert.equal(next.again, 30);
    return next.suspects;
  };
  // The first time nobody had it before, or the one before has left in order.
  assert.equal(suspects({ again: 0 }), 0);
  // All of it is done.
  assert.deepEqual([suspects({ again: 5 }), suspects({ again: 9, doneTo: 9 })], [0, 0]);
  assert.deepEqual([suspects({ again: 6 }), suspects({ again: 9, doneTo: 9, open: [8] })], [6, 9]);
  assert.deepEqual(suspects({ again: 4, unfinished: [{ number: 4, frame }] }), 4);
  // A peer may lie about what it has sent.
  assert.equal(suspects({ again: 2 ** 52 }), 5 + 65_536);
  // Suspects stay suspects until they are done.
  assert.deepEqual([suspects({ again: 0, suspects: 6 }), suspects({ again: 9, suspects: 6 })], [6, 9]);
  assert.deepEqual([suspects({ again: 9, suspects: 6, received: 10 }), suspects({ again: 0, suspects: 5 })], [0, 0]);
});

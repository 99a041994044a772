import assert from "node:assert/strict";
import { test } from "node:test";
import { SharedRing } from "./ring.ts";

const entry = (place: number, bytes = 1) => ({ place, topic: "t", body: new Uint8Array(bytes) });
const placesBehind = (ring: SharedRing, place: number): number[] =>
  Array.from(ring.behind(place), (each) => each.place);

test("entries behind a place are told in order, also where places are missing", () => {
  const ring = new SharedRing(10);
  assert.deepEqual([ring.lost, ring.last, placesBehind(ring, 10)], [10, 10, []]);
  for (const place of [11, 14, 15]) ring.add(entry(place));
  assert.deepEqual([ring.lost, ring.last], [10, 15]);
  for (const [place, expected] of [
    [10, [11, 14, 15]],
    [11, [14, 15]],
    [12, [14, 15]],
    [15, []],
    [99, []],
  ] as const)
    assert.deepEqual(placesBehind(ring, place), expected);
});

test("the oldest entries leave when there are too many, or too many bytes", () => {
  const many = new SharedRing(0);
  for (let place = 1; place <= 70_000; place += 1) many.add(entry(place));
  assert.deepEqual([many.lost, many.last], [4_464, 70_000]);
  assert.deepEqual(placesBehind(many, 69_998), [69_999, 70_000]);
  assert.equal(placesBehind(many, many.lost).length, 65_536);
  const large = new SharedRing(0);
  for (let place = 1; place <= 40; place += 1) large.add(entry(place, 1_000_000));
  assert.ok(large.bytes <= 16_777_216);
  assert.deepEqual(placesBehind(large, large.lost), [25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40]);
});

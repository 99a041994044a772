import assert from "node:assert/strict";
import { test } from "node:test";
import { linkTable } from "./conditions.ts";
import { type Fault, faultText, linkChange } from "./fault.ts";

test("faults of links are conditions, the others are not", () => {
  const way = { from: "a", to: "b" };
  assert.deepEqual(linkChange({ kind: "loss", ...way, chance: 0.5 }), { loss: 0.5 });
  const faults: readonly Fault[] = [
    { kind: "latency", ...way, latency: 5 },
    { kind: "burst-loss", ...way, enter: 0.1, leave: 0.2 },
    { kind: "duplication", ...way, chance: 1 },
    { kind: "corruption", ...way, chance: 1 },
    { kind: "reordering", ...way, chance: 1, delayMs: 3 },
    { kind: "bandwidth", ...way, bitsPerSecond: 1000 },
  ];
  const plain = linkTable({});
  for (const fault of faults) assert.notDeepEqual(linkTable(linkChange(fault) ?? {}), plain, fault.kind);
  assert.equal(linkChange({ kind: "partition", ...way }), undefined);
  assert.equal(linkChange({ kind: "crash", host: "a" }), undefined);
});

test("a fault as text: kind, place, numbers", () => {
  assert.equal(
    faultText({ kind: "reordering", from: "a", to: "*", chance: 0.5, delayMs: 2 }),
    "reordering a>* chance=0.5 delayMs=2",
  );
  assert.equal(faultText({ kind: "skew", host: "a", skewMs: 5 }), "skew a skewMs=5");
  const timed = { kind: "freeze", host: "a", atMs: 1, lastsMs: 2 } as const;
  assert.equal(faultText(timed), "freeze a");
});

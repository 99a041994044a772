import assert from "node:assert/strict";
import { test } from "node:test";
import { linkTable } from "../../core/faults/conditions.ts";
import { Link } from "../../core/faults/link.ts";
import { RandomStream } from "../../core/faults/random-stream.ts";
import { Disturbances } from "./disturbances.ts";

test("what faults change is put over what the program sets, and taken away in any order", () => {
  const link = new Link((label) => new RandomStream(1, label));
  const disturbances = new Disturbances();
  disturbances.set(link, { loss: 0.1 });
  const first = disturbances.add(link, { loss: 0.5 });
  const second = disturbances.add(link, { loss: 0.9, duplication: 0.2 });
  assert.deepEqual(link.conditions, linkTable({ loss: 0.9, duplication: 0.2 }));
  disturbances.set(link, { latency: 20, loss: 0.2 });
  first();
  first();
  assert.deepEqual(link.conditions, linkTable({ latency: 20, loss: 0.9, duplication: 0.2 }));
  second();
  assert.deepEqual(link.conditions, linkTable({ latency: 20, loss: 0.2 }));
});

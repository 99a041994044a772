import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FifoMap } from "./fifo-map.ts";

test("the first is the oldest that is there, whatever came and went", () => {
  const step = fc.record({ key: fc.nat(12), what: fc.constantFrom("add", "delete", "deleteFirst", "look") });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const map = new FifoMap<number, string>();
      const model = new Map<number, string>();
      for (const { key, what } of steps) {
        const [oldest] = model.keys();
        if (what === "look") assert.equal(map.first(), oldest);
        else if (what === "add") {
          map.add(key, `${key}`);
          model.set(key, `${key}`);
        } else {
          const gone = what === "delete" ? key : (oldest ?? key);
          assert.equal(map.delete(gone), model.delete(gone));
        }
        assert.equal(map.size, model.size);
        assert.equal(map.get(key), model.get(key));
        assert.equal(map.has(key), model.has(key));
      }
      assert.deepEqual([...map.keys()], [...model.keys()]);
      assert.equal(map.first(), [...model.keys()][0]);
    }),
  );
});

test("undefined may be a key", () => {
  const map = new FifoMap<undefined, number>();
  map.add(undefined, 1);
  assert.equal(map.first(), undefined);
  assert.equal(map.delete(undefined), true);
  assert.equal(map.size, 0);
});

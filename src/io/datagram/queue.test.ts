import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Address } from "../../core/address/address.ts";
import type { Datagram } from "../network/datagrams.ts";
import { DatagramQueue } from "./queue.ts";

const from = Address.parse("udp://127.0.0.1:1");

function datagram(bytes: number, mark = 0): Datagram {
  return { data: Buffer.alloc(bytes, mark), from };
}

test("a queue is a plain list that counts its bytes", () => {
  const step = fc.oneof(
    fc.record({ push: fc.nat(40) }),
    fc.constant("shift" as const),
    fc.constant("pop" as const),
    fc.record({ take: fc.integer({ min: 1, max: 100 }) }),
    fc.record({ unshift: fc.array(fc.nat(40), { maxLength: 5 }) }),
    fc.constant("clear" as const),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const queue = new DatagramQueue();
      let model: Datagram[] = [];
      for (const action of steps) {
        if (action === "clear") {
          queue.clear();
          model = [];
        } else if (typeof action === "object" && "push" in action) {
          const item = datagram(action.push);
          queue.push(item);
          model.push(item);
        } else if (typeof action === "object" && "unshift" in action) {
          const items = action.unshift.map((bytes) => datagram(bytes));
          queue.unshift(items);
          model.unshift(...items);
        } else if (typeof action === "object") {
          assert.deepEqual(queue.take(action.take), model.splice(0, action.take));
        } else if (model.length > 0) {
          assert.equal(
            action === "shift" ? queue.shift() : queue.pop(),
            action === "shift" ? model.shift() : model.pop(),
          );
        }
        assert.equal(queue.length, model.length);
        assert.equal(
          queue.bytes,
          model.reduce((sum, { data }) => sum + data.length, 0),
        );
      }
    }),
  );
});

test("a batch that was taken is the caller's: the queue does not touch it again", () => {
  const queue = new DatagramQueue();
  queue.push(datagram(1, 1));
  const taken = queue.take(10);
  queue.push(datagram(1, 2));
  assert.equal(taken.length, 1);
  assert.equal(queue.shift().data[0], 2);
});

test("a queue that is never empty stays small", () => {
  const queue = new DatagramQueue();
  for (let count = 0; count < 3; count += 1) queue.push(datagram(1));
  for (let count = 0; count < 10_000; count += 1) {
    queue.push(datagram(1, count));
    queue.shift();
  }
  assert.equal(queue.length, 3);
  assert.equal(queue.bytes, 3);
});

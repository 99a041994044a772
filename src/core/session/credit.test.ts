import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ReceiveCredit, SendCredit } from "./credit.ts";

test("a sender that keeps to its credit is never refused, and at most one message exceeds the window", () => {
  const step = fc.record({ size: fc.integer({ min: 1, max: 300 }), use: fc.nat(300), tell: fc.boolean() });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500 }), fc.array(step), (windowBytes, steps) => {
      const sender = new SendCredit(windowBytes);
      const receiver = new ReceiveCredit(windowBytes);
      for (const { size, use, tell } of steps) {
        if (sender.open) {
          sender.sent += size;
          assert.ok(receiver.take(size));
        }
        assert.ok(receiver.heldBytes < windowBytes + 300);
        receiver.use(Math.min(use, receiver.heldBytes));
        if (tell && receiver.due) sender.raise(receiver.grant());
      }
      // Once everything is used, the sender goes on.
      receiver.use(receiver.heldBytes);
      if (receiver.due) sender.raise(receiver.grant());
      assert.ok(sender.open);
    }),
  );
});

test("a sender that does not keep to it is noticed", () => {
  const receiver = new ReceiveCredit(10);
  assert.equal(receiver.take(10), true);
  assert.equal(receiver.take(1), false);
});

test("a total that goes down is an old one, and ignored", () => {
  const sender = new SendCredit(10);
  assert.equal(sender.raise(30), false);
  sender.sent = 30;
  assert.equal(sender.raise(20), false);
  assert.equal(sender.open, false);
  assert.equal(sender.raise(31), true);
});

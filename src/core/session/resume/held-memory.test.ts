import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { HeldMemory, type MemoryOwner } from "./held-memory.ts";

const principal = (key: string): MemoryOwner => ({ key, isPrincipal: true });
const address = (key: string): MemoryOwner => ({ key, isPrincipal: false });

/** Ends sessions until all fit; answers them in order. */
function ended(memory: HeldMemory, id: string, maxBytes: number): readonly string[] {
  const gone: string[] = [];
  for (let one = memory.surplus(id, maxBytes); one !== undefined; one = memory.surplus(id, maxBytes)) {
    memory.forget(one);
    gone.push(one);
  }
  return gone;
}

test("the owner that holds the most makes room, others never", () => {
  const memory = new HeldMemory({ maxBytesPerPrincipal: Infinity });
  memory.hold("old", address("honest"), 30, true);
  for (const id of ["a", "b", "c"]) memory.hold(id, address("greedy"), 20, false);
  assert.deepEqual(ended(memory, "c", 80), ["a"]);
  assert.equal(memory.bytes, 70);
});

test("of one owner a detached session goes first, unless it holds less than the others do on average", () => {
  const memory = new HeldMemory({ maxBytesPerPrincipal: Infinity });
  const owner = address("one");
  memory.hold("tiny", owner, 1, true);
  memory.hold("busy", owner, 50, false);
  memory.hold("left", owner, 40, true);
  assert.deepEqual(ended(memory, "busy", 90), ["left"]);
  assert.deepEqual(ended(memory, "busy", 50), ["busy"]);
  assert.deepEqual(ended(memory, "busy", 0), ["tiny"]);
});

test("a principal has a bound of its own, its attached sessions included; an address has none", () => {
  const memory = new HeldMemory({ maxBytesPerPrincipal: 100 });
  memory.hold("a", principal("ana"), 60, false);
  memory.hold("b", principal("ana"), 70, false);
  assert.deepEqual(ended(memory, "b", 1000), ["b"]);
  memory.hold("c", address("ana's"), 500, false);
  assert.deepEqual(ended(memory, "c", 1000), []);
});

test("a session that has a connection again is not detached any more", () => {
  const memory = new HeldMemory({ maxBytesPerPrincipal: Infinity });
  memory.hold("a", address("x"), 10, true);
  memory.hold("b", address("x"), 20, false);
  memory.move("a", false);
  assert.deepEqual(ended(memory, "b", 20), ["b"]);
});

test("who holds nothing is never asked to go, the sum is right, and there is always somebody to go", () => {
  const step = fc.record({
    id: fc.constantFrom("a", "b", "c", "d", "e", "f"),
    bytes: fc.nat(60),
    detached: fc.boolean(),
    forget: fc.boolean(),
  });
  const owners = { a: "x", b: "x", c: "x", d: "y", e: "y", f: "z" };
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const memory = new HeldMemory({ maxBytesPerPrincipal: 90 });
      const held = new Map<string, number>();
      const sum = (): number => [...held.values()].reduce((total, bytes) => total + bytes, 0);
      const of = (owner: string): number =>
        [...held].reduce((total, [id, bytes]) => (owners[id as "a"] === owner ? total + bytes : total), 0);
      for (const { id, bytes, detached, forget } of steps) {
        if (forget) memory.forget(id);
        else memory.hold(id, principal(owners[id as "a"]), bytes, detached);
        if (forget || bytes === 0) held.delete(id);
        else held.set(id, bytes);
        for (let one = memory.surplus(id, 100); one !== undefined; one = memory.surplus(id, 100)) {
          assert.ok(held.has(one));
          held.delete(one);
          memory.forget(one);
        }
        assert.equal(memory.bytes, sum());
        assert.ok(memory.bytes <= 100);
        for (const owner of ["x", "y", "z"]) assert.ok(of(owner) <= 90);
      }
    }),
  );
});

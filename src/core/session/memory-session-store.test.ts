import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MemorySessionStore } from "./memory-session-store.ts";
import type { SessionRecord } from "./session-store.ts";

const record = (id: string, principal = "ana", epoch = 1): SessionRecord => ({
  id,
  principal,
  epoch,
  attempt: 1,
  tokenHash: "",
  previousTokenHash: undefined,
});

test("D.6 the oldest detached session is evicted first", () => {
  const store = new MemorySessionStore({ maxSessions: 3 });
  for (const id of ["a", "b", "c"]) store.create(record(id));
  assert.deepEqual(store.create(record("d")), { admitted: false, evicted: [] });
  store.detach("c", 1, 10);
  store.detach("a", 1, 20);
  assert.deepEqual(store.create(record("d")), { admitted: true, evicted: ["c"] });
  assert.deepEqual(store.create(record("e")), { admitted: true, evicted: ["a"] });
});

test("D.6 caps per principal evict only sessions of that principal", () => {
  const store = new MemorySessionStore({ maxSessionsPerPrincipal: 1, maxBytesPerPrincipal: 100 });
  store.create(record("eva", "eva"));
  store.detach("eva", 1, 0);
  store.create(record("a"));
  assert.deepEqual(store.create(record("b")), { admitted: false, evicted: [] });
  store.detach("a", 1, 1);
  assert.deepEqual(store.charge("a", 101), ["a"]);
  assert.equal(store.size, 1);
});

test("D.6 caps of memory evict detached sessions, never attached ones", () => {
  const store = new MemorySessionStore({ maxBytes: 100 });
  store.create(record("a"));
  store.create(record("b"));
  assert.deepEqual(store.charge("a", 80), []);
  assert.deepEqual(store.charge("b", 80), []);
  store.detach("a", 1, 0);
  assert.deepEqual(store.charge("b", 90), ["a"]);
  assert.equal(store.bytes, 90);
});

test("a session that is attached again is not evicted, and an old connection cannot detach it", () => {
  const store = new MemorySessionStore({ maxDetachedMs: 100 });
  store.create(record("a"));
  store.detach("a", 1, 0);
  assert.equal(store.replace(1, record("a", "ana", 2)), true);
  store.detach("a", 1, 0);
  assert.deepEqual(store.expire(1000), []);
  store.detach("a", 2, 1000);
  assert.deepEqual(store.expire(1099), []);
  assert.deepEqual(store.expire(1100), ["a"]);
});

test("the bounds hold, whatever happens", () => {
  const id = fc.constantFrom("a", "b", "c", "d", "e", "f");
  const step = fc.record({
    kind: fc.constantFrom("create", "detach", "charge", "remove", "attach"),
    id,
    principal: fc.constantFrom("x", "y"),
    bytes: fc.nat(60),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const store = new MemorySessionStore({ maxSessions: 4, maxSessionsPerPrincipal: 3, maxBytes: 100 });
      const bytes = new Map<string, number>();
      for (const [now, { kind, id: name, principal, bytes: size }] of steps.entries()) {
        const current = store.get(name);
        let gone: readonly string[] = [];
        if (kind === "create") {
          const { admitted, evicted } = store.create(record(name, principal));
          if (admitted) bytes.set(name, 0);
          gone = evicted;
        } else if (kind === "detach") store.detach(name, current?.epoch ?? 0, now);
        else if (kind === "attach" && current !== undefined) store.replace(current.epoch, current);
        else if (kind === "remove") {
          store.remove(name);
          gone = [name];
        } else if (kind === "charge") {
          if (current !== undefined) bytes.set(name, size);
          gone = store.charge(name, size);
        }
        for (const one of gone) bytes.delete(one);
        assert.ok(store.size <= 4);
        assert.equal(store.size, bytes.size);
        assert.equal(
          store.bytes,
          [...bytes.values()].reduce((sum, value) => sum + value, 0),
        );
      }
    }),
  );
});

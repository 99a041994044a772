import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MemorySessionStore, type SessionRecord } from "./session-store.ts";

const record = (id: string, principal = "ana", epoch = 1): SessionRecord => ({
  id,
  principal,
  epoch,
  attempt: 1,
  tokenHash: "",
  previousTokenHash: undefined,
});

/** Makes a session for which another one makes room. */
function evicting(store: MemorySessionStore, id: string): object {
  const { admitted, evicted, evictedRecords } = store.create(record(id));
  return { admitted, evicted, records: evictedRecords?.map((one) => one.id) };
}

// The rules are those of docs/semantics.md.
test("rule D6: the oldest detached session is evicted first", () => {
  const store = new MemorySessionStore({ maxSessions: 3 });
  for (const id of ["a", "b", "c"]) store.create(record(id));
  assert.deepEqual(store.create(record("d")), { admitted: false, evicted: [] });
  store.detach("c", 1, 10);
  store.detach("a", 1, 20);
  assert.deepEqual(evicting(store, "d"), { admitted: true, evicted: ["c"], records: ["c"] });
  assert.deepEqual(evicting(store, "e"), { admitted: true, evicted: ["a"], records: ["a"] });
});

test("rule D6: the cap per principal evicts the oldest detached session of that principal, and no other", () => {
  const store = new MemorySessionStore({ maxSessionsPerPrincipal: 2 });
  store.create(record("eva", "eva"));
  store.detach("eva", 1, 0);
  store.create(record("a"));
  store.create(record("b"));
  assert.deepEqual(store.create(record("c")), { admitted: false, evicted: [] });
  store.detach("b", 1, 1);
  store.detach("a", 1, 2);
  assert.equal(store.replace(1, record("b", "ana", 2)), true);
  store.detach("b", 2, 3);
  assert.deepEqual(evicting(store, "c"), { admitted: true, evicted: ["a"], records: ["a"] });
  assert.equal(store.size, 3);
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
    kind: fc.constantFrom("create", "detach", "remove", "attach"),
    id,
    principal: fc.constantFrom("x", "y"),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const store = new MemorySessionStore({ maxSessions: 4, maxSessionsPerPrincipal: 3 });
      const principals = new Map<string, string>();
      const detached = new Set<string>();
      for (const [now, { kind, id: name, principal }] of steps.entries()) {
        const current = store.get(name);
        let gone: readonly string[] = [];
        if (kind === "create") {
          const { admitted, evicted } = store.create(record(name, principal));
          if (admitted) principals.set(name, principal);
          gone = evicted;
          // Only who has no connection makes room.
          for (const one of evicted) assert.ok(detached.has(one));
        } else if (kind === "detach" && current !== undefined) {
          store.detach(name, current.epoch, now);
          detached.add(name);
        } else if (kind === "attach" && current !== undefined) {
          store.replace(current.epoch, current);
          detached.delete(name);
        } else if (kind === "remove") {
          store.remove(name);
          gone = [name];
        }
        for (const one of gone) {
          principals.delete(one);
          detached.delete(one);
        }
        assert.ok(store.size <= 4);
        assert.equal(store.size, principals.size);
        for (const each of ["x", "y"]) {
          assert.ok([...principals.values()].filter((one) => one === each).length <= 3);
        }
      }
    }),
  );
});

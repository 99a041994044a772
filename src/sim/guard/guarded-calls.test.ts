import assert from "node:assert/strict";
import { test } from "node:test";
import { builtin } from "./builtin.ts";
import { guardedCalls } from "./guarded-calls.ts";

test("every module of SEMANTICS E4 is covered, and nothing twice", () => {
  const calls = guardedCalls();
  const labels = calls.map(({ label }) => label);
  for (const area of ["net", "tls", "http", "https", "http2", "dgram", "dns", "child_process", "worker_threads"]) {
    assert.ok(
      labels.some((label) => label.startsWith(area)),
      area,
    );
  }
  for (const label of [
    "globalThis.fetch",
    "globalThis.Date",
    "globalThis.setTimeout",
    "Math.random",
    "dns.resolve4",
    "process.exit",
  ]) {
    assert.ok(labels.includes(label), label);
  }
  const places = new Map<object, Set<PropertyKey>>();
  for (const { owner, name, label } of calls) {
    const names = places.get(owner) ?? new Set();
    assert.equal(names.has(name), false, label);
    places.set(owner, names.add(name));
  }
});

test("a module that the runtime has not is a typed error", () => {
  assert.throws(() => builtin("no-such-module"), { code: "UNSUPPORTED", op: "simulate" });
});

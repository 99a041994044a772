import assert from "node:assert/strict";
import { test } from "node:test";
import { startProxy } from "../start-proxy.ts";
import type { ProxyRow } from "./wire.ts";
import { Recorder } from "./recorder.ts";
import { Rows } from "./rows.ts";

const LATENCY = { kind: "latency", from: "*", to: "*", latency: 1 } as const;

test("the state is made anew only when something has changed, and of it only what has", async (t) => {
  const definition = (name: string): { readonly name: string; readonly upstream: string } => {
    return { name, upstream: "tcp://127.0.0.1:9" };
  };
  const running = await startProxy({ proxies: [definition("a"), definition("b")] });
  t.after(() => running.close({ timeoutMs: 0 }));
  const recorder = new Recorder(running);
  const rows = new Rows(running, recorder);
  running.watch((event) => {
    if (event.type === "fault") rows.faultsChanged(event.proxy);
  });
  const a = running.proxies.get("a");
  const schedule = { format: 1, faults: [{ ...LATENCY, atMs: 60_000, lastsMs: 1 }] } as const;
  let before = rows.state();
  const changes: readonly (readonly [what: string, act: () => unknown, changed: readonly string[]])[] = [
    ["a fault begins", () => a?.inflict(LATENCY), ["a"]],
    ["a fault ends", () => a?.heal(a.faults[0] as typeof LATENCY), ["a"]],
    ["nobody is let in", () => a?.change({ enabled: false }), ["a"]],
    ["another upstream", () => a?.change({ upstream: "tcp://127.0.0.1:10" }), ["a"]],
    ["a proxy comes", () => running.add(definition("c")), ["c"]],
    ["a proxy goes", () => running.remove("c"), []],
    ["a recording begins", () => recorder.begin({}), []],
    ["it ends", () => recorder.stop(), []],
    ["a schedule is played", () => running.play(schedule), []],
    ["faults that were not heard of", () => rows.faultsChanged(), ["a", "b"]],
  ];
  for (const [what, act, changed] of changes) {
    assert.equal(rows.state(), before, `before ${what}`);
    await act();
    const state = rows.state();
    assert.notEqual(state, before, what);
    const known = new Set<ProxyRow>(before.proxies);
    const fresh = state.proxies.filter((row) => !known.has(row)).map(({ name }) => name);
    assert.deepEqual(fresh, changed, what);
    before = state;
  }
});

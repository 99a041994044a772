import assert from "node:assert/strict";
import { test } from "node:test";
import type { FaultRow, PageMessage } from "../../proxy/page/wire.ts";
import { NOTHING, type PageState, reduced, shortName, SHOWN_MS } from "./state.ts";

const RECORDING = NOTHING.recording;

function pulse(nowMs: number, bytes: readonly [number, number] = [0, 0]): PageMessage {
  return { type: "pulse", nowMs, bytes: { echo: bytes }, connections: [], more: 0, captured: { bytes: 0, lost: 0 } };
}

function stateOf(faults: readonly FaultRow[]): PageMessage {
  const proxy = { name: "echo", listen: "tcp://a", upstream: "tcp://b", datagrams: false, enabled: true, faults };
  return { type: "state", seed: 7, proxies: [proxy], plays: [], recording: RECORDING };
}

const fault = (id: number): FaultRow => ({ id, fault: { kind: "loss", from: "*", to: "*", chance: 0.5 } });

function after(messages: readonly PageMessage[], from: PageState = NOTHING): PageState {
  return messages.reduce(reduced, from);
}

test("throughput is what has passed between two pulses", () => {
  const { lanes } = after([pulse(1000, [500, 0]), pulse(1500, [1500, 100]), pulse(2000, [1500, 600])]);
  assert.deepEqual(lanes.get("echo")?.toServer, [0, 2000, 0]);
  assert.deepEqual(lanes.get("echo")?.toClient, [0, 200, 1000]);
});

test("a proxy may be named as what every object has", () => {
  for (const name of ["constructor", "toString", "__proto__"]) {
    const told = (nowMs: number): PageMessage => {
      const bytes = JSON.parse(`{ ${JSON.stringify(name)}: [${nowMs}, 0] }`) as Record<string, [number, number]>;
      return { ...pulse(nowMs), bytes } as PageMessage;
    };
    assert.deepEqual(after([told(1000), told(2000)]).lanes.get(name)?.toServer, [0, 1000]);
  }
});

test("a pulse right behind another one does not make a peak", () => {
  const { lanes } = after([pulse(1000), pulse(1250, [100, 0]), pulse(1251, [200, 0]), pulse(1500, [200, 0])]);
  assert.deepEqual(lanes.get("echo")?.toServer, [0, 400, 400]);
});

test("a proxy that is replaced by one of the same name has no throughput below zero", () => {
  const { lanes } = after([pulse(1000, [900, 900]), pulse(1250, [10, 10])]);
  assert.deepEqual(lanes.get("echo")?.toServer, [0, 0]);
});

test("a fault has a band from its begin to its end; one that was there before has no begin", () => {
  let state = after([stateOf([fault(1)]), pulse(1000), stateOf([fault(1), fault(2)])]);
  assert.deepEqual(
    state.bands.map(({ id, beganAtMs, endedAtMs }) => [id, beganAtMs, endedAtMs]),
    [
      [1, Number.NEGATIVE_INFINITY, undefined],
      [2, 1000, undefined],
    ],
  );
  state = after([pulse(2000), stateOf([fault(2)]), pulse(3000)], state);
  assert.deepEqual(
    state.bands.map(({ id, endedAtMs }) => [id, endedAtMs]),
    [
      [1, 2000],
      [2, undefined],
    ],
  );
  state = after([pulse(2001 + SHOWN_MS)], state);
  assert.deepEqual(
    state.bands.map(({ id }) => id),
    [2],
  );
});

test("whatever comes, the page keeps a bounded part of it", () => {
  let state = NOTHING;
  for (let turn = 0; turn < 5000; turn += 1) {
    state = after([pulse(turn * 3, [turn, turn]), stateOf([fault(2 * turn), fault(2 * turn + 1)])], state);
  }
  assert.ok(state.bands.length <= 202, `${state.bands.length}`);
  for (let turn = 0; turn < 5000; turn += 1) state = after([pulse(20_000 + turn * 60, [turn, turn])], state);
  const lane = state.lanes.get("echo");
  assert.ok((lane?.atMs.length ?? 0) <= 240);
  assert.equal(lane?.atMs.length, lane?.toClient.length);
});

test("what happens on the selected connection is none of its business", () => {
  const state = after([pulse(1000)]);
  assert.equal(reduced(state, { type: "flow", rows: [], missed: 0 }), state);
});

test("a long name is cut between characters", () => {
  assert.equal(shortName("a".repeat(60)), "a".repeat(60));
  assert.equal(shortName("🦆".repeat(60)), "🦆".repeat(60));
  assert.equal(shortName("🦆".repeat(1000)), `${"🦆".repeat(60)}…`);
});

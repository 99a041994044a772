import assert from "node:assert/strict";
import { test } from "node:test";
import { nextState, TCP_STATES, type TcpEvent, type TcpState } from "./tcp-state.ts";

const walk = (state: TcpState, ...events: TcpEvent[]): TcpState => events.reduce(nextState, state);

test("the walks of RFC 9293 figure 5", () => {
  assert.equal(walk("SYN-SENT", "synchronized", "finish", "finished", "fin"), "TIME-WAIT");
  assert.equal(walk("SYN-SENT", "syn", "synchronized", "fin", "finish", "finished"), "CLOSED");
  assert.equal(walk("ESTABLISHED", "finish", "fin", "finished"), "TIME-WAIT");
});

test("every state can be dropped, and what a state does not know changes nothing", () => {
  for (const state of Object.keys(TCP_STATES) as TcpState[]) assert.equal(nextState(state, "drop"), "CLOSED");
  assert.equal(nextState("TIME-WAIT", "finish"), "TIME-WAIT");
  assert.equal(nextState("CLOSED", "synchronized"), "CLOSED");
});

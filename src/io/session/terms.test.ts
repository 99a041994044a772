import assert from "node:assert/strict";
import { test } from "node:test";
import { contract } from "../../core/contract/contract.ts";
import { event } from "../../core/contract/method.ts";
import { DEFAULT_LIMITS } from "../../core/handshake/limits.ts";
import type { Agreement } from "../../core/handshake/negotiate.ts";
import { DEFAULT_REPLAY } from "../../core/session/settings.ts";
import { ContractPlan } from "../contract/plan.ts";
import { AgreedTerms } from "./terms.ts";

const news = contract("news", "1.0.0", { client: { flash: event(), tick: event() } });

function agreement(peerOffers: readonly string[], windowBytes = 1000): Agreement {
  const peerLimits = { ...DEFAULT_LIMITS, windowBytes };
  return { peerVersion: "1.0.0", peerOffers, codec: "json", features: [], limits: DEFAULT_LIMITS, peerLimits };
}

function scene() {
  const own = { plan: new ContractPlan(news, "server", "receive"), replay: DEFAULT_REPLAY, journaled: false };
  const agreed = new AgreedTerms();
  return (offers: readonly string[], windowBytes?: number) => agreed.of(own, agreement(offers, windowBytes), 60_000);
}

test("sessions under the same agreement share their terms", () => {
  const termsOf = scene();
  const terms = termsOf(["flash", "tick"]);
  assert.equal(termsOf(["flash", "tick"]), terms);
  assert.notEqual(termsOf(["flash", "tick"], 1), terms);
});

test("methods have the places of the peer's list; one that it does not offer is METHOD_UNKNOWN", () => {
  const termsOf = scene();
  const [flash, tick] = termsOf(["flash", "tick"]).plan.peer.methods;
  assert.ok(flash !== undefined && tick !== undefined);
  assert.deepEqual([termsOf(["flash", "tick"]).placeOf(tick), termsOf(["tick", "", "flash"]).placeOf(flash)], [1, 2]);
  assert.throws(() => termsOf(["tick"]).placeOf(flash), { code: "METHOD_UNKNOWN", op: "flash", outcome: "none" });
});

test("a list of offers that is not that of all is charged to its session", () => {
  const termsOf = scene();
  assert.equal(termsOf(["flash", "tick"]).heldBytes, 0);
  const strange = Array.from({ length: 1000 }, (_, index) => (index === 999 ? "tick" : ""));
  assert.equal(termsOf(strange).heldBytes, 8000);
});

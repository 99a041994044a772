import assert from "node:assert/strict";
import { test } from "node:test";
import type { ResumeRequest } from "../../handshake/hello.ts";
import { DEFAULT_LIMITS } from "../../handshake/limits.ts";
import type { Agreement } from "../../handshake/negotiate.ts";
import type { Departed } from "../departure.ts";
import {
  confirmToken,
  Farewells,
  type HeldSession,
  type ResumeClaim,
  type ResumeDecision,
  resumeSession,
} from "./resume.ts";
import { MemorySessionStore, type SessionRecord, type SessionStore } from "./session-store.ts";

const agreement: Agreement = {
  peerVersion: "1.0.0",
  peerOffers: [],
  codec: "json",
  features: [],
  limits: DEFAULT_LIMITS,
  peerLimits: DEFAULT_LIMITS,
};
const record: SessionRecord = {
  id: "s",
  principal: "ana",
  epoch: 1,
  attempt: 1,
  tokenHash: "h1",
  previousTokenHash: undefined,
};
const request: ResumeRequest = {
  session: "s",
  token: "never looked at",
  server: "i",
  attempt: 2,
  received: 5,
  acknowledged: 3,
  sent: 9,
};
const held: HeldSession = { agreement, received: 4, acknowledged: 5, sent: 7 };
const claim: ResumeClaim = { request, principal: "ana", agreement, tokenHash: "h1", nextTokenHash: "h2" };

function storeWith(...records: readonly SessionRecord[]): MemorySessionStore {
  const store = new MemorySessionStore();
  for (const one of records) store.create(one);
  return store;
}

const decide = (change: Partial<ResumeClaim>, store: SessionStore = storeWith(record)): ResumeDecision =>
  resumeSession(store, "i", { ...claim, ...change }, () => held);

/** The outcome, and the reason if there is one. */
function told(decision: ResumeDecision): string {
  if (decision.outcome === "fresh") return `fresh ${decision.reason}`;
  return decision.outcome === "refused" ? decision.refusal.code : "resumed";
}

// The rules are those of docs/semantics.md.
test("rule D3: each accepted resume raises the epoch by compare and set", () => {
  const store = storeWith(record);
  assert.equal(told(decide({}, store)), "resumed");
  assert.equal(store.get("s")?.epoch, 2);
  assert.equal(store.replace(1, record), false);
});

test("rule D3: of two resumes at once the newest wins", () => {
  const store = storeWith(record);
  let raced = false;
  const racing: SessionStore = Object.assign(Object.create(store) as SessionStore, {
    get: (id: string) => store.get(id),
    replace(epoch: number, next: SessionRecord): boolean {
      if (!raced) {
        raced = true;
        assert.equal(told(decide({ request: { ...request, attempt: 3 }, nextTokenHash: "h3" }, store)), "resumed");
      }
      return store.replace(epoch, next);
    },
  });
  assert.equal(told(decide({}, racing)), "SESSION_TAKEN_OVER");
  assert.equal(told(decide({ request: { ...request, attempt: 4 }, tokenHash: "h3" }, store)), "resumed");
  assert.equal(store.get("s")?.epoch, 3);
});

test("rule D3: a lower client attempt number is refused", () => {
  for (const attempt of [0, 1]) assert.equal(told(decide({ request: { ...request, attempt } })), "SESSION_TAKEN_OVER");
});

test("rule D4: the same principal and the right token are needed, and a thief learns nothing", () => {
  const unknown = decide({}, storeWith());
  assert.deepEqual(unknown, { outcome: "fresh", reason: "session-unknown", ends: false });
  assert.deepEqual(decide({ principal: "eva" }), unknown);
  assert.deepEqual(decide({ tokenHash: "hX" }), unknown);
  assert.deepEqual(decide({ tokenHash: "" }), unknown);
  assert.deepEqual(decide({ principal: "eva", request: { ...request, attempt: 0 } }), unknown);
});

test("rule D4: tokens rotate, and the previous one is valid until the first acknowledgement on the new connection", () => {
  const store = storeWith(record);
  assert.equal(told(decide({}, store)), "resumed");
  // The welcome with h2 was lost: the client tries again with h1.
  assert.equal(told(decide({ request: { ...request, attempt: 3 }, nextTokenHash: "h3" }, store)), "resumed");
  confirmToken(store, "s", 2);
  assert.notEqual(store.get("s")?.previousTokenHash, undefined);
  confirmToken(store, "s", 3);
  assert.equal(told(decide({ request: { ...request, attempt: 4 } }, store)), "fresh session-unknown");
  assert.equal(told(decide({ request: { ...request, attempt: 4 }, tokenHash: "h3" }, store)), "resumed");
});

test("rule D5: resume needs the server instance, both counters, and the same agreement", () => {
  assert.equal(told(decide({ request: { ...request, server: "other" } })), "fresh server-restarted");
  for (const change of [
    { codec: "msgpack" },
    { peerVersion: "1.9.0" },
    { peerOffers: [...agreement.peerOffers, "more"] },
    { limits: { ...agreement.limits, maxCalls: 1 } },
    { peerLimits: { ...agreement.peerLimits, windowBytes: 1 } },
  ]) {
    const decision = decide({ agreement: { ...agreement, ...change } });
    assert.deepEqual(decision, { outcome: "fresh", reason: "agreement-changed", ends: true });
  }
  for (const change of [{ received: 4 }, { received: 8 }, { acknowledged: 5 }, { sent: 3 }]) {
    const decision = decide({ request: { ...request, ...change } });
    assert.deepEqual(decision, { outcome: "fresh", reason: "counters-invalid", ends: true });
  }
});

const recordOf = (id: string): SessionRecord => {
  return { id, principal: id, epoch: 1, attempt: 0, tokenHash: "#", previousTokenHash: undefined };
};
const saying = (message: string): Departed => {
  return { reason: { code: "", message }, retryAfterMs: undefined, accepted: 3 };
};

test("a farewell is there until the time is up in which its client could come back", () => {
  const farewells = new Farewells(1000);
  farewells.add(recordOf("a"), saying("bye"), 0);
  farewells.add(recordOf("b"), saying("bye"), 500);
  assert.equal(farewells.get("a", 999)?.departed.reason.message, "bye");
  assert.equal(farewells.get("a", 1000), undefined);
  assert.equal(farewells.get("nobody", 0), undefined);
  // The next one that comes takes those along whose time is up.
  farewells.add(recordOf("c"), saying("bye"), 1500);
  assert.equal(farewells.get("b", 0), undefined);
});

test("the oldest farewells are forgotten when there are too many, or when they hold too much", () => {
  const farewells = new Farewells(Infinity);
  for (let index = 0; index < 20_000; index += 1) farewells.add(recordOf(`s${index}`), saying("bye"), 0);
  assert.equal(farewells.get("s9999", 0), undefined);
  assert.ok(farewells.get("s10000", 0) !== undefined);
  for (let index = 0; index < 10_000; index += 1) farewells.add(recordOf(`t${index}`), saying("x".repeat(1024)), 0);
  assert.ok(farewells.bytes <= 8_388_608 && farewells.bytes > 8_000_000, String(farewells.bytes));
  assert.equal(farewells.get("t0", 0), undefined);
  assert.ok(farewells.get("t9999", 0) !== undefined);
});

test("a session that is closed once more holds no more than once", () => {
  const farewells = new Farewells(1000);
  farewells.add(recordOf("a"), saying("bye"), 0);
  const { bytes } = farewells;
  farewells.add(recordOf("a"), saying("bye"), 1);
  assert.equal(farewells.bytes, bytes);
});

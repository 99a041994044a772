import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_LIMITS } from "../../src/core/handshake/limits.ts";
import type { Agreement } from "../../src/core/handshake/negotiate.ts";
import { decodeRecord, encodeRecord } from "../../src/core/journal/record.ts";
import { type SessionSnapshot, takenOver } from "../../src/core/session/gate.ts";
import type { BodyPlace } from "../../src/core/session/outgoing.ts";
import { Session } from "../../src/core/session/session.ts";
import { DEFAULT_REPLAY } from "../../src/core/session/settings.ts";
import { SeededRandom } from "../fixtures/seeded-random.ts";

/*
 * A server that keeps its sessions in a journal is killed again and again, and another process goes on with what was kept. What a
 * handler did inside the session happens once, and what it said is heard once, in order, whenever the server dies. Of some calls the handler
 * begins when it is kept that it does: it runs once at most, in all processes together.
 */

const LIMITS = { ...DEFAULT_LIMITS, windowBytes: 100, maxCalls: 8 };
const COMMON = { limits: LIMITS, peerLimits: LIMITS, replay: DEFAULT_REPLAY, keptMs: 60_000 };
const AGREEMENT: Agreement = {
  peerVersion: "1.0.0",
  peerOffers: ["a", "", ""],
  codec: "json",
  features: [],
  limits: LIMITS,
  peerLimits: LIMITS,
};
const OWNER = { principal: "ana", epoch: 1, attempt: 1, tokenHash: "t", previousTokenHash: undefined };

/** Calls that must not run twice. */
const isOnce = (text: string): boolean => Number(text) % 3 === 0;

const bodyOf = (text: string): BodyPlace => ({ bytes: Buffer.from(text), start: 0, end: Buffer.byteLength(text) });

/** A call whose handler has begun. */
interface Running {
  readonly id: number;
  readonly number: number;
  readonly text: string;
}

type Kept = Pick<SessionSnapshot, "received" | "sent" | "begun"> & { readonly bytes: Uint8Array };

/** The server's process: what it holds in memory dies with it. */
class Server {
  readonly session: Session;
  /** What the program keeps in the session. */
  heard: string[];
  readonly running: Running[] = [];
  /** Calls whose handlers begin when it is kept that they do. */
  #marked: Running[] = [];
  readonly #ran: Map<string, number>;
  /** Events that wait for the one before them, or for room for what their handler says. */
  readonly #waiting: { readonly chargeBytes: number; readonly text: string }[] = [];
  readonly #begun = new Set<number>();

  /** @param ran - How often each handler has begun, in all processes. */
  constructor(record: Uint8Array | undefined, ran: Map<string, number>) {
    this.#ran = ran;
    const kept = record === undefined ? undefined : decodeRecord("one", record);
    this.heard = kept === undefined ? [] : (JSON.parse(String(Buffer.from(kept.data))) as string[]);
    this.session = new Session({ ...COMMON, role: "server", journaled: true }, 0, kept?.session);
  }

  record(all: boolean): Kept {
    const session = this.session.snapshot(all);
    const data = Buffer.from(JSON.stringify(this.heard));
    return {
      bytes: encodeRecord({ owner: OWNER, agreement: AGREEMENT, data, groups: [], since: 0, opened: true, session }),
      ...session,
    };
  }

  take(now: number): void {
    const { session } = this;
    for (let told = session.nextEvent(); told !== undefined; told = session.nextEvent()) {
      assert.ok(told.type !== "ended", told.type === "ended" ? String(told.error) : "");
      if (told.type !== "event" && told.type !== "call") continue;
      assert.ok(!this.#begun.has(told.number), `message ${told.number} began twice in one process`);
      this.#begun.add(told.number);
      const text = told.bytes.toString("utf8", told.start, told.end);
      const { number } = told;
      if (told.type === "call") this.#begin({ id: told.id, number, text }, now);
      else this.#waiting.push({ chargeBytes: told.chargeBytes, text });
    }
    this.#handle(now);
  }

  get isBusy(): boolean {
    return this.running.length > 0 || this.#marked.length > 0 || this.#waiting.length > 0;
  }

  #begin(call: Running, now: number): void {
    const { begins } = this.session;
    const beginning = isOnce(call.text) ? begins?.of(call.number, true) : "free";
    if (beginning === "free") this.running.push(call);
    else if (beginning === "begun") this.session.fail(call.id, bodyOf("{}"), now);
    else {
      begins?.mark(call.number, true);
      this.#marked.push(call);
    }
  }

  /** It is kept that these have begun. */
  begun(numbers: readonly number[]): void {
    for (const call of this.#marked) {
      if (!numbers.includes(call.number)) continue;
      this.#ran.set(call.text, (this.#ran.get(call.text) ?? 0) + 1);
      this.running.push(call);
    }
    this.#marked = this.#marked.filter(({ number }) => !numbers.includes(number));
  }

  // What a handler did and what it says are one step.

  #handle(now: number): void {
    for (let [first] = this.#waiting; first !== undefined; [first] = this.#waiting) {
      if (!this.session.sendEvent(0, bodyOf(`re:${first.text}`), now)) return;
      this.heard.push(first.text);
      this.session.eventHandled(first.chargeBytes);
      this.#waiting.shift();
    }
  }

  /** The handler of a call has come to its end. */
  finish(index: number, now: number): void {
    const [done] = this.running.splice(index, 1);
    if (done === undefined) return;
    this.heard.push(done.text);
    this.session.respond(done.id, bodyOf(`re:${done.text}`), now);
  }
}

/** What the process writes first that takes the session over. */
function taken(record: Uint8Array | undefined, sent: number): Uint8Array | undefined {
  if (record === undefined) return undefined;
  const stored = decodeRecord("one", record);
  return encodeRecord({ ...stored, session: takenOver(stored.session, sent) });
}

function run(seed: number): number {
  const random = new SeededRandom(seed);
  const client = new Session({ ...COMMON, role: "client" }, 0);
  const ran = new Map<string, number>();
  let server = new Server(undefined, ran);
  let stored: Uint8Array | undefined;
  /** What a journal is writing now. */
  let writing: ReturnType<Server["record"]> | undefined;
  const said: string[] = [];
  const answers: string[] = [];
  /** Calls whose outcome nobody knows. */
  const lost: string[] = [];
  const asked = new Map<number, string>();
  let now = 0;
  /** At the end both sides still have room for two more windows. */
  let more = 30;
  const isOver = (): boolean =>
    more === 0 && answers.length + lost.length >= said.length && !server.isBusy && client.unacknowledged === 0;

  const hear = (): void => {
    for (let told = client.nextEvent(); told !== undefined; told = client.nextEvent()) {
      assert.ok(told.type !== "ended", `seed ${seed}: ${told.type === "ended" ? String(told.error) : ""}`);
      if (told.type === "error") lost.push(asked.get(told.id) ?? "");
      if (told.type !== "event" && told.type !== "result") continue;
      answers.push(told.bytes.toString("utf8", told.start, told.end));
      if (told.type === "event") client.eventHandled(told.chargeBytes);
    }
  };
  const carry = (all: boolean): void => {
    const up = Buffer.concat(client.output(now));
    const upTo = all ? up.length : random.below(up.length + 1);
    server.session.receive(up, 0, upTo, now);
    server.take(now);
    const down = Buffer.concat(server.session.output(now));
    const downTo = all ? down.length : random.below(down.length + 1);
    client.receive(down, 0, downTo, now);
    hear();
    // A connection that carries a part only is lost.
    if (upTo < up.length || downTo < down.length) reconnect(false);
  };
  const reconnect = (moved: boolean): void => {
    client.detach(now);
    server.session.detach(now);
    const { received } = server.session.resumePoint;
    const { received: heard, sent } = client.resumePoint;
    const last = server.session.resumePoint.sent;
    assert.ok(server.session.attach(heard, now, moved ? sent : undefined), `seed ${seed}: the server's counters`);
    assert.ok(client.attach(received, now, moved ? last : undefined), `seed ${seed}: the client's counters`);
    hear();
    server.take(now);
  };
  const begin = (all: boolean): void => {
    writing ??= server.record(all);
  };
  const commit = (): void => {
    if (writing === undefined) return;
    stored = writing.bytes;
    server.session.kept(writing, now);
    server.begun(writing.begun);
    writing = undefined;
  };

  begin(false);
  commit();
  server.session.attach(0, now);
  client.attach(0, now);
  for (let step = 0; step < 200 || !isOver(); step += 1) {
    now += random.below(60);
    const what = step < 200 ? random.below(12) : [0, 3, 5, 6, 8][step % 5];
    if (what !== undefined && what <= 2 && (step < 200 || more > 0)) {
      const text = String(said.length);
      const id = random.oneIn(2) ? 0 : client.call(0, bodyOf(text), Infinity, now);
      const isSent = id > 0 || client.sendEvent(0, bodyOf(text), now);
      if (id > 0) asked.set(id, text);
      if (isSent) said.push(text);
      if (isSent && step >= 200) more -= 1;
    } else if (what !== undefined && what <= 4) carry(step >= 200 || !random.oneIn(6));
    else if (what === 5 && server.running.length > 0) server.finish(random.below(server.running.length), now);
    else if (what === 6 || what === 7) begin(random.oneIn(4));
    else if (what === 8 || what === 9) commit();
    else if (what === 10) {
      // What is being written may be stored, although nobody hears of it.
      if (writing !== undefined && random.oneIn(2)) stored = writing.bytes;
      writing = undefined;
      stored = taken(stored, client.resumePoint.sent);
      server = new Server(stored, ran);
      reconnect(true);
    } else if (what === 11) reconnect(false);
    client.onDeadline(now);
    server.session.onDeadline(now);
    assert.ok(step < 5000, `seed ${seed}: it comes to no end`);
  }
  const inOrder = (texts: readonly string[]): readonly string[] => [...texts].sort((a, b) => Number(a) - Number(b));
  const answered = said.filter((text) => !lost.includes(text));
  assert.deepEqual(inOrder(server.heard), answered, `seed ${seed}: what the server did`);
  assert.deepEqual(inOrder(answers.map((text) => text.slice(3))), answered, `seed ${seed}: what the client heard`);
  assert.ok(lost.every(isOnce), `seed ${seed}: what is lost`);
  for (const [text, times] of ran) assert.equal(times, 1, `seed ${seed}: ${text} ran ${times} times`);
  assert.equal(client.unacknowledged, 0, `seed ${seed}: what the client still holds`);
  return lost.length;
}

test("whenever the server dies, each message has its effect once, and each answer comes once", () => {
  let lost = 0;
  for (let seed = 1; seed <= 500; seed += 1) lost += run(seed);
  assert.ok(lost > 0, "no server died between the beginning of a call and its end");
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_LIMITS } from "../../src/core/handshake/limits.ts";
import { Session } from "../../src/core/session/session.ts";
import { DEFAULT_REPLAY } from "../../src/core/session/settings.ts";
import { sharedFrame } from "../../src/core/session/shared-lane.ts";
import { SHARED_HEAD_BYTES } from "../../src/core/session/wire/frame-types.ts";
import { SeededRandom } from "../fixtures/seeded-random.ts";

/*
 * A server says what stands in a log, over connections that are cut anywhere, and its process changes at any time. The client hears
 * what is for it once and in order, and never holds more than its window and one message.
 */

const LIMITS = { ...DEFAULT_LIMITS, windowBytes: 200 };
const COMMON = { limits: LIMITS, peerLimits: LIMITS, replay: DEFAULT_REPLAY, keptMs: 60_000, moves: true };

function run(seed: number): void {
  const random = new SeededRandom(seed);
  const client = new Session({ ...COMMON, role: "client" }, 0);
  let server = new Session({ ...COMMON, role: "server", journaled: true }, 0);
  const log: { readonly place: number; readonly isMine: boolean }[] = [];
  const wanted = (): number[] => log.filter(({ isMine }) => isMine).map(({ place }) => place);
  const heard: number[] = [];
  const waiting: { readonly chargeBytes: number; readonly place: number }[] = [];
  let cursor = 0;
  let now = 0;

  const lastPlace = (): number => log.at(-1)?.place ?? 0;
  const hear = (): void => {
    for (let told = client.nextEvent(); told !== undefined; told = client.nextEvent()) {
      assert.ok(told.type !== "ended", `seed ${seed}: ${told.type === "ended" ? String(told.error) : ""}`);
      if (told.type !== "event") continue;
      const place = Number(told.bytes.toString("utf8", told.start, told.end));
      assert.equal(told.chargeBytes, SHARED_HEAD_BYTES + String(place).length);
      waiting.push({ chargeBytes: told.chargeBytes, place });
    }
    const held = waiting.reduce((sum, { chargeBytes }) => sum + chargeBytes, 0);
    assert.ok(held < LIMITS.windowBytes + 40, `seed ${seed}: the client holds ${held} bytes`);
  };
  const catchUp = (): void => {
    for (const { place, isMine } of log) {
      if (place <= cursor) continue;
      if (isMine && !server.say(sharedFrame(place, 3, Buffer.from(String(place))))) return;
      cursor = place;
    }
    if (random.oneIn(3)) server.link?.shared?.tell(cursor);
  };
  const reconnect = (moved: boolean): void => {
    client.detach(now);
    server.detach(now);
    if (moved) {
      const kept = server.snapshot(false);
      server = new Session({ ...COMMON, role: "server", journaled: true }, now, kept);
    }
    const { received: heardTo, sent, place = 0 } = client.resumePoint;
    assert.ok(server.attach(heardTo, now, moved ? sent : undefined));
    assert.ok(client.attach(server.resumePoint.received, now, moved ? 0 : undefined));
    // A server may say again what the client has heard.
    cursor = Math.max(0, place - random.below(6));
    hear();
  };
  const carry = (all: boolean): void => {
    const up = Buffer.concat(client.output(now));
    server.receive(up, 0, all ? up.length : random.below(up.length + 1), now);
    for (let told = server.nextEvent(); told !== undefined; told = server.nextEvent())
      assert.notEqual(told.type, "ended");
    catchUp();
    const down = Buffer.concat(server.output(now));
    client.receive(down, 0, all ? down.length : random.below(down.length + 1), now);
    hear();
    if (!all) reconnect(false);
  };

  server.attach(0, now);
  client.attach(0, now);
  for (let step = 0; step < 300 || heard.length < wanted().length; step += 1) {
    now += random.below(20);
    const what = step < 300 ? random.below(10) : 3 + (step % 3);
    if (what <= 2) log.push({ place: lastPlace() + 1 + random.below(3), isMine: !random.oneIn(3) });
    else if (what <= 4) carry(step >= 300 || !random.oneIn(5));
    else if (what <= 7) {
      const done = waiting.shift();
      if (done === undefined) continue;
      heard.push(done.place);
      client.sharedHandled(done.chargeBytes);
    } else reconnect(what === 8);
    client.onDeadline(now);
    server.onDeadline(now);
    assert.ok(step < 5000, `seed ${seed}: it comes to no end`);
  }
  assert.deepEqual(heard, wanted(), `seed ${seed}: what the client heard`);
}

test("what stands in a log is heard once and in order, wherever the connection is cut", () => {
  for (let seed = 1; seed <= 500; seed += 1) run(seed);
});

const BOTH = { ...COMMON, role: "client" } as const;

test("messages of a log are a mistake of a peer that has not agreed to them, or sends more than its window", () => {
  const frame = sharedFrame(7, 0, Buffer.alloc(100));
  for (const [settings, frames, code] of [
    [{ ...BOTH, moves: false }, 1, "FRAME_INVALID"],
    [{ ...BOTH, role: "server", journaled: true } as const, 1, "FRAME_INVALID"],
    [BOTH, 3, "LIMIT_EXCEEDED"],
  ] as const) {
    const session = new Session(settings, 0);
    session.attach(0, 0);
    for (let count = 0; count < frames; count += 1) session.receive(frame, 0, frame.length, 0);
    const codes: unknown[] = [];
    for (let count = 0; count < frames; count += 1) {
      session.receive(sharedFrame(8 + count, 0, Buffer.alloc(100)), 0, frame.length, 0);
      for (let told = session.nextEvent(); told !== undefined; told = session.nextEvent())
        if (told.type === "ended") codes.push(told.error?.code);
    }
    assert.deepEqual(codes, [code]);
  }
});

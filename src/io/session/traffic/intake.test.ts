import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_LIMITS } from "../../../core/handshake/limits.ts";
import { Session } from "../../../core/session/session.ts";
import { DEFAULT_REPLAY } from "../../../core/session/settings.ts";
import { ManualClock } from "../../../testing/manual-clock.ts";
import { type IntakeOwner, SessionIntake } from "./intake.ts";
import { SessionSchedule } from "../schedule.ts";

const ACK_BYTES = 13;

/** An acknowledgement of nothing, so many times. */
function acks(count: number): Buffer {
  const one = Buffer.alloc(ACK_BYTES);
  one.writeUInt32BE(9);
  one[4] = 0x10;
  return Buffer.concat(Array.from({ length: count }, () => one));
}

/** A session whose connection notes when it is held, and which reads what comes through an intake. */
function reading(maxMessagesPerSecond: number) {
  const clock = new ManualClock({ defer: setImmediate });
  const limits = DEFAULT_LIMITS;
  const machine = new Session({ role: "server", limits, peerLimits: limits, replay: DEFAULT_REPLAY, keptMs: 1000 }, 0);
  machine.attach(0, 0);
  const held: boolean[] = [];
  const connection = { inbound: { hold: (on: boolean) => void held.push(on) } };
  const schedule = new SessionSchedule(clock);
  const owner = {
    settings: { clock, schedule, maxMessagesPerSecond },
    machine,
    connection,
    wasAttached: true,
    dueAt: Infinity,
    heapIndex: -1,
    onDue: () => intake.check(clock.now()),
    onEndOfTurn: () => undefined,
  };
  const intake: SessionIntake = new SessionIntake(owner as unknown as IntakeOwner, 0);
  /** Answers how many frames were read. */
  const read = (bytes: Buffer, charged = 0): number => {
    const { link } = machine;
    intake.open(link, clock.now());
    machine.receive(bytes, 0, bytes.length, clock.now());
    while (machine.nextEvent() !== undefined);
    if (link !== undefined) link.work -= charged;
    return (bytes.length - intake.close(link)) / ACK_BYTES;
  };
  return { clock, machine, held, read };
}

test("control frames count: who sends more than it may is held until the rate allows it", async () => {
  const { clock, held, read } = reading(1000);
  assert.equal(read(acks(1500)), 1000);
  assert.deepEqual(held, [true]);
  assert.equal(read(acks(500)), 0, "it is not read before its time");
  await clock.advance(1);
  assert.deepEqual(held, [true, true, false]);
  assert.equal(read(acks(500)), 1);
  await clock.advance(500);
  assert.equal(read(acks(499)), 499);
  assert.deepEqual(held, [true, true, false, true, false]);
});

test("nobody is read longer than his turn, whatever the rate: the rest follows in the next one", async () => {
  const { held, read } = reading(Infinity);
  assert.equal(read(acks(15_000)), 10_000);
  assert.deepEqual(held, [true]);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(held, [true, false]);
  assert.equal(read(acks(5000)), 5000);
});

test("what is dear to handle counts for more, but owes no more than a second", async () => {
  const { clock, held, read } = reading(100);
  assert.equal(read(acks(1), 1_000_000), 1);
  assert.equal(read(acks(1)), 0);
  await clock.advance(1000);
  assert.deepEqual(held, [true]);
  await clock.advance(10);
  assert.deepEqual(held, [true, false]);
  assert.equal(read(acks(2)), 1);
});

test("bytes that were not read are gone with their connection", () => {
  const { machine, held, read } = reading(10);
  const { link } = machine;
  assert.equal(read(acks(10)), 10);
  machine.detach(0);
  assert.equal(read(acks(10)), 10);
  assert.deepEqual(held, []);
  assert.notEqual(machine.link, link);
});

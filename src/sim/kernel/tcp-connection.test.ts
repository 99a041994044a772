import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RandomStream } from "../../core/faults/random-stream.ts";
import { EventQueue } from "../time/event-queue.ts";
import { resetFor, type Segment } from "./packet.ts";
import { TcpConnection } from "./tcp-connection.ts";
import { DEFAULT_TCP, type SimTcpSettings } from "./tcp-settings.ts";

/** Two kernels with one connection between them, on a wire that does what the test wants. No world, no promises. */
class Wire {
  nowUs = 0;
  readonly queue: EventQueue = new EventQueue();
  readonly ends: (TcpConnection | undefined)[] = [undefined, undefined];
  readonly log: string[][] = [[], []];
  /** When the timer of each end is set for. */
  readonly armed: number[] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  /** Delays of one segment: none when it is lost, two when it is doubled. */
  fate: (side: number, segment: Segment) => readonly number[] = () => [1000];
  readonly settings: SimTcpSettings;

  constructor(settings: Partial<SimTcpSettings> = {}) {
    this.settings = { ...DEFAULT_TCP, ...settings };
  }

  get a(): TcpConnection {
    return this.ends[0] as TcpConnection;
  }
  get b(): TcpConnection {
    return this.ends[1] as TcpConnection;
  }

  open(): void {
    this.ends[0] = TcpConnection.open(this.settings, 100, 1000, this.nowUs);
    this.settle(0);
  }

  transmit(side: number, segment: Segment): void {
    for (const delayUs of this.fate(side, segment)) {
      this.queue.push(this.nowUs + delayUs, 0, () => this.arrive(1 - side, segment));
    }
  }

  arrive(side: number, segment: Segment): void {
    const end = this.ends[side];
    if (end !== undefined && end.state !== "CLOSED") end.receive(segment, this.nowUs);
    else if (side === 1 && end === undefined && segment.syn) {
      this.ends[1] = TcpConnection.answer(this.settings, 5000, 1000, segment, this.nowUs);
    } else if (!segment.rst) this.transmit(side, resetFor(segment));
    this.settle(side);
  }

  /** Does what one end wants; call it after every call. */
  settle(side: number): void {
    const end = this.ends[side];
    for (const segment of end?.output(this.nowUs) ?? []) this.transmit(side, segment);
    for (let notice = end?.nextNotice(); notice !== undefined; notice = end?.nextNotice()) {
      if (notice === "connected") this.log[side]?.push(notice);
      if (notice === "failed") this.log[side]?.push(end?.failure ?? "");
    }
    const dueUs = end?.deadlineUs ?? Number.POSITIVE_INFINITY;
    if (end === undefined || dueUs >= (this.armed[side] as number) || end.state === "CLOSED") return;
    this.armed[side] = dueUs;
    this.queue.push(Math.max(dueUs, this.nowUs), 0, () => {
      this.armed[side] = Number.POSITIVE_INFINITY;
      this.onTimer(side, end);
    });
  }

  onTimer(side: number, end: TcpConnection): void {
    if (end.deadlineUs <= this.nowUs && end.state !== "CLOSED") end.onDeadline(this.nowUs);
    this.settle(side);
  }

  /** Lets everything happen up to a moment. */
  run(untilUs = Number.POSITIVE_INFINITY, step: () => void = () => undefined): void {
    for (let events = 0; events < 200_000; events += 1) {
      const next = this.queue.pop();
      if (next === undefined) return;
      if (next.atUs > untilUs) {
        this.queue.push(next.atUs, 0, next.action);
        this.nowUs = untilUs;
        return;
      }
      this.nowUs = next.atUs;
      next.action();
      step();
    }
    assert.fail("it never ends");
  }
}

function connected(settings: Partial<SimTcpSettings> = {}): Wire {
  const wire = new Wire(settings);
  wire.open();
  wire.run(100_000);
  assert.deepEqual([wire.a.state, wire.b.state], ["ESTABLISHED", "ESTABLISHED"]);
  return wire;
}

test("rule E2: loss, duplication and reordering never change the bytes; both sides come to their end", () => {
  const arbitrary = fc.record({
    seed: fc.nat(),
    loss: fc.integer({ min: 0, max: 30 }),
    doubled: fc.integer({ min: 0, max: 30 }),
    bytes: fc.integer({ min: 0, max: 60_000 }),
    window: fc.integer({ min: 200, max: 20_000 }),
  });
  fc.assert(
    fc.property(arbitrary, ({ seed, loss, doubled, bytes, window }) => {
      const wire = connected({ receiveBufferBytes: window, sendBufferBytes: 8000, retries: 100, timeWaitMs: 1000 });
      const random = new RandomStream(seed, "wire");
      wire.fate = () => {
        if (random.below(100) < loss) return [];
        const delayUs = 500 + random.below(3000);
        return random.below(100) < doubled ? [delayUs, delayUs + random.below(5000)] : [delayUs];
      };
      const input = random.bytes(bytes);
      const output: Buffer[] = [];
      let sent = 0;
      const step = (): void => {
        const room = Math.min(wire.a.room, bytes - sent);
        if (room > 0) {
          wire.a.write(input.subarray(sent, sent + room));
          sent += room;
        }
        if (sent === bytes && wire.a.state === "ESTABLISHED") wire.a.finish();
        const piece = wire.b.read(1 + random.below(2000));
        if (piece !== undefined) output.push(piece);
        if (wire.b.ended && wire.b.state === "CLOSE-WAIT") wire.b.finish();
        wire.settle(0);
        wire.settle(1);
      };
      // The reader takes little at a time, also when nothing comes any more.
      for (let round = 0; round < 10_000 && wire.b.state !== "CLOSED"; round += 1) {
        step();
        wire.run(Number.POSITIVE_INFINITY, step);
      }
      assert.ok(Buffer.concat(output).equals(input));
      assert.deepEqual([wire.a.state, wire.b.state], ["CLOSED", "CLOSED"]);
    }),
    { numRuns: 40 },
  );
});

test("nobody answers: seven SYNs in 127 seconds", () => {
  const wire = new Wire();
  let syns = 0;
  wire.fate = () => {
    syns += 1;
    return [];
  };
  wire.open();
  wire.run();
  assert.equal(syns, 7);
  assert.equal(wire.nowUs, 127_000_000);
  assert.deepEqual(wire.log[0], ["timed out"]);
});

test("a lost segment among others is repeated before its time-out, since the later ones arrived", () => {
  const wire = connected();
  let first = true;
  wire.fate = (_side, { data }) => {
    if (!first || data.length === 0) return [1000];
    first = false;
    return [];
  };
  const begun = wire.nowUs;
  wire.a.write(Buffer.alloc(6000));
  wire.settle(0);
  wire.run(begun + 10_000);
  assert.equal(wire.b.readableBytes, 6000);
});

// The rules are those of docs/semantics.md.
test("rule E1: closing with unread bytes resets; data after close is answered with a reset", () => {
  const unread = connected();
  unread.a.write(Buffer.from("unread"));
  unread.settle(0);
  unread.run(unread.nowUs + 5000);
  unread.b.close(unread.nowUs);
  unread.settle(1);
  unread.run(unread.nowUs + 5000);
  assert.deepEqual(unread.log[0], ["connected", "reset"]);
  const late = connected();
  late.b.close(late.nowUs);
  late.settle(1);
  late.run(late.nowUs + 5000);
  assert.equal(late.a.state, "CLOSE-WAIT");
  assert.equal(late.a.ended, true);
  late.a.write(Buffer.from("late"));
  late.settle(0);
  late.run(late.nowUs + 5000);
  assert.deepEqual(late.log[0], ["connected", "reset"]);
});

test("a zero window is asked for again and again, and opens although the news of it was lost", () => {
  const wire = connected({ receiveBufferBytes: 2000 });
  wire.a.write(Buffer.alloc(5000));
  wire.settle(0);
  wire.run(wire.nowUs + 3_600_000_000);
  assert.equal(wire.a.state, "ESTABLISHED");
  assert.equal(wire.b.readableBytes, 2000);
  wire.fate = () => [];
  while (wire.b.read(10_000) !== undefined);
  wire.settle(1);
  wire.fate = () => [1000];
  wire.run(wire.nowUs + 200_000_000);
  assert.equal(wire.b.readableBytes, 2000);
});

test("keepalive gives up on a peer that vanished, and not on one that is quiet", () => {
  const wire = connected();
  wire.a.setKeepAlive(true, 10_000, wire.nowUs);
  wire.settle(0);
  wire.run(wire.nowUs + 60_000_000);
  assert.equal(wire.a.state, "ESTABLISHED");
  const vanishedUs = wire.nowUs;
  wire.fate = () => [];
  wire.run();
  assert.equal(wire.log[0]?.at(-1), "timed out");
  // Ten probes of one second each.
  assert.ok(wire.nowUs - vanishedUs <= 10_000_000 + 10_000_000);
});

test("keepalive as the system has it, where the program does not say how long", () => {
  const wire = connected({ keepAliveIdleMs: 100_000, keepAliveIntervalMs: 5000, keepAliveProbes: 3 });
  wire.fate = () => [];
  const beganUs = wire.nowUs;
  wire.a.setKeepAlive(true, 0, wire.nowUs);
  wire.settle(0);
  wire.run();
  assert.deepEqual([wire.log[0]?.at(-1), wire.nowUs - beganUs], ["timed out", 115_000_000]);
});

test("keepalive does not shorten the wait for what was sent", () => {
  const wire = connected();
  wire.a.setKeepAlive(true, 1000, wire.nowUs);
  wire.fate = () => [];
  const beganUs = wire.nowUs;
  wire.a.write(Buffer.from("x"));
  wire.settle(0);
  wire.run();
  assert.equal(wire.log[0]?.at(-1), "timed out");
  // The retransmissions give up after a quarter of an hour.
  assert.ok(wire.nowUs - beganUs > 900_000_000);
});

test("who closes first remembers for TIME-WAIT; a reset that is not exact is answered, not obeyed", () => {
  const wire = connected();
  wire.arrive(0, { ...resetFor({ ...SYN, ack: 5003 }), window: 0 });
  assert.equal(wire.a.state, "ESTABLISHED");
  wire.a.finish();
  wire.settle(0);
  wire.run(wire.nowUs + 5000);
  assert.deepEqual([wire.a.state, wire.b.state], ["FIN-WAIT-2", "CLOSE-WAIT"]);
  wire.b.finish();
  wire.settle(1);
  const closedUs = wire.nowUs;
  wire.run(wire.nowUs + 5000);
  assert.deepEqual([wire.a.state, wire.b.state], ["TIME-WAIT", "CLOSED"]);
  wire.run();
  assert.equal(wire.a.state, "CLOSED");
  assert.ok(wire.nowUs - closedUs >= 60_000_000);
});

const SYN: Segment = {
  seq: 0,
  ack: undefined,
  syn: true,
  fin: false,
  rst: false,
  window: 0,
  data: Buffer.alloc(0),
  sacks: [],
  mss: 0,
};

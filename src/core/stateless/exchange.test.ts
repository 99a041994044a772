import assert from "node:assert/strict";
import { test } from "node:test";
import { type AnswerDatagram, RESULT, RETRY } from "./datagram.ts";
import { DEFAULT_TIMES, Exchange, RoundTrip } from "./exchange.ts";

const NONE = new Uint8Array(0);

function answer(type: typeof RESULT | typeof RETRY, ...body: readonly number[]): AnswerDatagram {
  const bytes = Uint8Array.from(body);
  return { type, id: 1n, codec: 1, hash: 1n, reason: 0, body: { bytes, start: 0, end: bytes.length } };
}

test("each pause is twice the one before, up to the most; chance makes it longer by up to half", () => {
  const exchange = new Exchange(new RoundTrip(DEFAULT_TIMES), DEFAULT_TIMES);
  const pauses = Array.from({ length: 8 }, () => exchange.sent(0, NONE, 0));
  assert.deepEqual(pauses, [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
  assert.equal(new Exchange(new RoundTrip(DEFAULT_TIMES), DEFAULT_TIMES).sent(0, NONE, 0.5), 1250);
});

test("the last time is early enough for an answer before the deadline, and never sooner than a first repetition", () => {
  const pausesUntil = (deadline: number, random: number): readonly number[] => {
    const exchange = new Exchange(new RoundTrip(DEFAULT_TIMES), DEFAULT_TIMES);
    const pauses: number[] = [];
    for (let now = 0; now < deadline; now += pauses.at(-1) as number) {
      pauses.push(exchange.sent(now, NONE, random, deadline));
    }
    return pauses;
  };
  // The last pause of each ends at the deadline or behind it: nothing is sent there.
  assert.deepEqual(pausesUntil(30_000, 0), [1000, 2000, 4000, 8000, 14_000, 1000]);
  assert.deepEqual(pausesUntil(10_000, 0.5), [1250, 2500, 5000, 1000, 1000]);
  assert.deepEqual(pausesUntil(1400, 0.9), [1000, 1000]);
  assert.deepEqual(pausesUntil(900, 0), [1000]);
});

test("the first pause follows what was measured, RFC 6298", () => {
  const roundTrip = new RoundTrip(DEFAULT_TIMES);
  assert.equal(roundTrip.timeoutMs, 1000);
  roundTrip.measured(400);
  // SRTT 400, RTTVAR 200.
  assert.equal(roundTrip.timeoutMs, 1200);
  roundTrip.measured(400);
  // RTTVAR 3/4 of 200.
  assert.equal(roundTrip.timeoutMs, 1000);
  roundTrip.measured(480);
  // RTTVAR 3/4 of 150 and 1/4 of 80; SRTT 7/8 of 400 and 1/8 of 480.
  assert.equal(roundTrip.timeoutMs, 410 + 4 * 132.5);
  for (let count = 0; count < 100; count += 1) roundTrip.measured(1);
  assert.equal(roundTrip.timeoutMs, DEFAULT_TIMES.minDelayMs);
  assert.ok(Math.abs((roundTrip.smoothedMs ?? 0) - 1) < 0.1);
});

test("the answer to a call that was sent twice measures nothing (Karn)", () => {
  const roundTrip = new RoundTrip(DEFAULT_TIMES);
  const exchange = new Exchange(roundTrip, DEFAULT_TIMES);
  exchange.sent(0, NONE, 0);
  exchange.sent(1000, NONE, 0);
  assert.equal(exchange.received(answer(RESULT), 1010), "over");
  assert.equal(roundTrip.smoothedMs, undefined);
  const next = new Exchange(roundTrip, DEFAULT_TIMES);
  next.sent(2000, NONE, 0);
  assert.equal(next.received(answer(RESULT), 2010), "over");
  assert.equal(roundTrip.smoothedMs, 10);
});

test("a cookie is answered at once, with the pause of a first transmission; the same one twice is not", () => {
  const exchange = new Exchange(new RoundTrip(DEFAULT_TIMES), DEFAULT_TIMES);
  exchange.sent(0, NONE, 0);
  assert.equal(exchange.received(answer(RETRY, 7), 2), "again");
  assert.equal(exchange.sent(2, Uint8Array.of(7), 0), 200);
  assert.equal(exchange.received(answer(RETRY, 7), 4), "wait");
  assert.equal(exchange.received(answer(RESULT, 1), 5), "over");
});

test("no server makes a client fast: cookies without end, empty ones and long ones are waited out", () => {
  const exchange = new Exchange(new RoundTrip(DEFAULT_TIMES), DEFAULT_TIMES);
  const verdicts = Array.from({ length: 6 }, (_, index) => {
    exchange.sent(index, index === 0 ? NONE : Uint8Array.of(index), 0);
    return exchange.received(answer(RETRY, index + 1), index);
  });
  assert.deepEqual(verdicts, ["again", "again", "again", "wait", "wait", "wait"]);
  const other = new Exchange(new RoundTrip(DEFAULT_TIMES), DEFAULT_TIMES);
  other.sent(0, NONE, 0);
  assert.equal(other.received(answer(RETRY), 1), "wait");
  assert.equal(other.received(answer(RETRY, ...new Uint8Array(33)), 1), "wait");
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { Address } from "../../core/address/address.ts";
import { ConnectError, type ErrorCode, ZocaloError } from "../../core/errors.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { happyEyeballs } from "./happy-eyeballs.ts";
import type { Network, StreamTransport } from "../network/network.ts";

const NAME = Address.parse("tcp://server.example:7000");
const V6 = "2001:db8::1";
const V6_SECOND = "2001:db8::2";
const V4 = "192.0.2.1";

interface Trial {
  readonly host: string;
  readonly atMs: number;
  readonly signal: AbortSignal;
  readonly succeed: () => StreamTransport;
  readonly fail: (code: ErrorCode) => void;
}

/** A race whose name service and attempts the test answers by hand. */
function race(families: readonly (4 | 6)[] = [6, 4]) {
  const clock = new ManualClock({ defer: (callback) => setImmediate(callback) });
  const lookups = new Map<4 | 6, { resolve: (hosts: readonly string[]) => void; reject: (error: unknown) => void }>();
  const trials: Trial[] = [];
  const destroyed: string[] = [];
  const network = {
    clock,
    sockets: {
      resolve: (_host: string, family: 4 | 6) =>
        new Promise<readonly string[]>((resolve, reject) => {
          lookups.set(family, { resolve, reject });
        }),
    },
  } as unknown as Network;
  const attempt = ({ host }: Address, signal: AbortSignal): Promise<StreamTransport> =>
    new Promise((resolve, reject) => {
      const transport = { host, destroy: () => destroyed.push(host) } as unknown as StreamTransport;
      trials.push({
        host,
        atMs: clock.now(),
        signal,
        succeed: () => {
          resolve(transport);
          return transport;
        },
        fail: (code) => reject(new ConnectError(code, { op: "connect", remote: host })),
      });
    });
  const controller = new AbortController();
  const result = happyEyeballs(network, NAME, families, attempt, controller.signal);
  result.catch(() => undefined);
  const answer = async (family: 4 | 6, ...hosts: string[]): Promise<void> => {
    lookups.get(family)?.resolve(hosts);
    await clock.turn();
  };
  const miss = async (family: 4 | 6, code: ErrorCode): Promise<void> => {
    lookups.get(family)?.reject(new ZocaloError(code, { op: "resolve" }));
    await clock.turn();
  };
  return { clock, lookups, trials, destroyed, controller, result, answer, miss };
}

// The rules are those of docs/semantics.md.
test("rule A10: both families are asked at once, each for itself", () => {
  const { lookups } = race();
  assert.deepEqual([...lookups.keys()], [6, 4]);
});

test("a blackholed first address costs 250 ms, not a time-out (RFC 8305 section 5)", async () => {
  const { clock, trials, result, answer } = race();
  await answer(6, V6);
  await answer(4, V4);
  assert.deepEqual(
    trials.map(({ host }) => host),
    [V6],
  );
  await clock.advance(249);
  assert.equal(trials.length, 1);
  await clock.advance(1);
  assert.deepEqual(
    trials.map(({ host, atMs }) => [host, atMs]),
    [
      [V6, 0],
      [V4, 250],
    ],
  );
  const transport = (trials[1] as Trial).succeed();
  assert.equal(await result, transport);
  assert.ok((trials[0] as Trial).signal.aborted, "the losing attempt is told to stop");
  assert.equal(clock.pending, 0, "no timer is left");
});

test("rule A10: a loser that connects all the same is closed", async () => {
  const { clock, trials, destroyed, result, answer } = race();
  await answer(6, V6);
  await answer(4, V4);
  await clock.advance(250);
  (trials[1] as Trial).succeed();
  await result;
  (trials[0] as Trial).succeed();
  await clock.turn();
  assert.deepEqual(destroyed, [V6]);
});

test("IPv4 answers wait 50 ms for the IPv6 ones (section 3)", async () => {
  const { clock, trials, answer } = race();
  await answer(4, V4);
  await clock.advance(49);
  assert.equal(trials.length, 0);
  await answer(6, V6);
  assert.deepEqual(
    trials.map(({ host }) => host),
    [V6],
  );
});

test("after 50 ms IPv4 goes ahead, and IPv6 joins when it comes", async () => {
  const { clock, trials, answer } = race();
  await answer(4, V4);
  await clock.advance(50);
  assert.deepEqual(
    trials.map(({ host }) => host),
    [V4],
  );
  await answer(6, V6);
  await clock.advance(250);
  assert.deepEqual(
    trials.map(({ host }) => host),
    [V4, V6],
  );
});

test("the families take turns, and a failure starts the next attempt at once (section 4)", async () => {
  const { clock, trials, answer } = race();
  await answer(6, V6, V6_SECOND);
  await answer(4, V4);
  (trials[0] as Trial).fail("CONNECTION_REFUSED");
  await clock.turn();
  (trials[1] as Trial).fail("CONNECTION_REFUSED");
  await clock.turn();
  assert.deepEqual(
    trials.map(({ host, atMs }) => [host, atMs]),
    [
      [V6, 0],
      [V4, 0],
      [V6_SECOND, 0],
    ],
  );
});

test("when all fail the error lists every attempt, and its code is about the peer", async () => {
  const { clock, trials, result, answer } = race();
  await answer(6, V6);
  await answer(4, V4);
  (trials[0] as Trial).fail("NETWORK_UNREACHABLE");
  await clock.turn();
  (trials[1] as Trial).fail("CONNECTION_REFUSED");
  const error = await result.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ConnectError);
  assert.equal(error.code, "CONNECTION_REFUSED");
  assert.equal(error.remote, NAME.toString());
  assert.deepEqual(
    error.attempts.map(({ address, error: { code } }) => [address, code]),
    [
      [`tcp://[${V6}]:7000`, "NETWORK_UNREACHABLE"],
      [`tcp://${V4}:7000`, "CONNECTION_REFUSED"],
    ],
  );
});

test("a name that nobody knows is NAME_NOT_FOUND; a dead name service is told as such", async () => {
  const unknown = race();
  await unknown.miss(6, "NAME_NOT_FOUND");
  await unknown.miss(4, "NAME_NOT_FOUND");
  await assert.rejects(unknown.result, { code: "NAME_NOT_FOUND", op: "connect" });
  const dead = race();
  await dead.miss(6, "NAME_NOT_FOUND");
  await dead.miss(4, "NAME_LOOKUP_FAILED");
  await assert.rejects(dead.result, { code: "NAME_LOOKUP_FAILED" });
});

test("one family without an answer does not hold up the other", async () => {
  const { trials, answer, miss } = race();
  await miss(6, "NAME_NOT_FOUND");
  await answer(4, V4);
  assert.deepEqual(
    trials.map(({ host }) => host),
    [V4],
  );
});

test("the caller's signal ends the race with its reason and stops every attempt", async () => {
  const { clock, trials, controller, result, answer } = race();
  await answer(6, V6);
  await answer(4, V4);
  await clock.advance(250);
  const reason = new Error("enough");
  controller.abort(reason);
  await assert.rejects(result, reason);
  assert.ok(trials.every(({ signal }) => signal.aborted));
  assert.equal(clock.pending, 0);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { check } from "../../../sim.ts";
import { unavailable, unknownOutcome } from "../../journal/failure.ts";
import type { Network } from "../../network/network.ts";
import { LogAppends } from "./appends.ts";

type Append = (topic: string, key: string | undefined, body: Uint8Array) => Promise<number>;

/** Appends over a journal that is a function, in the simulated world. */
async function withAppends(append: Append, body: (appends: LogAppends, network: Network) => Promise<void>) {
  await check({ seed: 1 }, async (world) => {
    const { network } = world.host("server");
    await body(new LogAppends({ append }, network.clock, network.random), network);
  });
}
const text = (value: unknown): Uint8Array => Buffer.from(String(value));

test("what is said to one topic is appended in its order, whatever fails and however long it takes", async () => {
  let log: string[] = [];
  const world: { network?: Network } = {};
  let calls = 0;
  const append: Append = async (topic, _key, body) => {
    calls += 1;
    const call = calls;
    await new Promise<void>((resolve) => void world.network?.clock.setTimer(resolve, (call * 7) % 10));
    if (call % 3 === 0) throw unavailable("append");
    if (call % 7 === 0) throw unknownOutcome("append");
    return log.push(`${topic}${String(body)}`);
  };
  await withAppends(append, async (appends, network) => {
    world.network = network;
    log = [];
    calls = 0;
    const places: Promise<number>[] = [];
    for (let number = 0; number < 30; number += 1)
      for (const topic of ["a", "b", "c"]) places.push(appends.append(topic, `${topic}/${number}`, text(number)));
    await appends.idle();
    assert.deepEqual(
      (await Promise.all(places)).sort((a, b) => a - b),
      Array.from({ length: 90 }, (_, index) => index + 1),
    );
    for (const topic of ["a", "b", "c"])
      assert.deepEqual(
        log.filter((said) => said.startsWith(topic)),
        Array.from({ length: 30 }, (_, number) => `${topic}${number}`),
      );
  });
});

test("without a key nobody tries it again when nobody knows whether it was appended", async () => {
  let failures: Error[] = [];
  const append: Append = async () => {
    const failure = failures.pop();
    if (failure !== undefined) throw failure;
    return 1;
  };
  await withAppends(append, async (appends) => {
    failures = [unknownOutcome("append")];
    const first = appends.append("a", undefined, text("x"));
    const second = appends.append("a", undefined, text("y"));
    await assert.rejects(first, { code: "JOURNAL_UNKNOWN", outcome: "unknown" });
    assert.equal(await second, 1);
  });
});

test("while the store is away so much waits, more is refused; at the end what waits is given up", async () => {
  let asked = 0;
  const append: Append = async () => {
    asked += 1;
    throw unavailable("append");
  };
  await withAppends(append, async (appends, { clock }) => {
    asked = 0;
    const large = new Uint8Array(1_048_576);
    const waiting = Array.from({ length: 64 }, () => appends.append("a", "k", large));
    assert.throws(() => appends.append("b", "k", text("x")), { code: "JOURNAL_UNAVAILABLE", outcome: "none" });
    await new Promise<void>((resolve) => void clock.setTimer(resolve, 60_000));
    assert.ok(asked > 10 && asked < 1_000, `${asked} tries in a minute`);
    appends.stop();
    for (const one of waiting) await assert.rejects(one, { code: "JOURNAL_UNAVAILABLE" });
    assert.throws(() => appends.append("a", "k", text("x")), { code: "JOURNAL_UNAVAILABLE" });
  });
});

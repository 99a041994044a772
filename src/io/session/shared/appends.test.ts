import assert from "node:assert/strict";
import { test } from "node:test";
import { check } from "../../../sim.ts";
import { unavailable, unknownOutcome } from "../../journal/failure.ts";
import type { SessionJournal } from "../../journal/journal.ts";
import { RefusedWrites } from "../../journal/refused-writes.ts";
import type { Network } from "../../network/network.ts";
import { LogAppends } from "./appends.ts";

type Append = SessionJournal["append"];

/** Appends over a journal that is a function, in the simulated world. */
async function withAppends(append: Append, body: (appends: LogAppends, network: Network) => Promise<void>) {
  await check({ seed: 1 }, async (world) => {
    const { network } = world.host("server");
    await body(
      new LogAppends({ append }, network.clock, network.random, new RefusedWrites(network.clock, () => undefined)),
      network,
    );
  });
}
const text = (value: unknown): Uint8Array => Buffer.from(String(value));

test("what is said to one topic is appended in its order, whatever fails and however long it takes", async () => {
  let log: string[] = [];
  const world: { network?: Network } = {};
  let calls = 0;
  const append: Append = async (topic, entries) => {
    calls += 1;
    const call = calls;
    await new Promise<void>((resolve) => void world.network?.clock.setTimer(resolve, (call * 7) % 10));
    if (call % 3 === 0) throw unavailable("append");
    if (call % 7 === 0) throw unknownOutcome("append");
    return entries.map(({ body }) => log.push(`${topic}${String(body)}`));
  };
  await withAppends(append, async (appends, network) => {
    world.network = network;
    log = [];
    calls = 0;
    const places: Promise<number>[] = [];
    for (let number = 0; number < 30; number += 1)
      for (const topic of ["a", "b", "c"]) places.push(appends.append(topic, `${topic}/${number}`, text(number)));
    await appends.idle();
    assert.ok(calls < 30, `${calls} calls for 90 entries`);
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
  let tried: (string | undefined)[][] = [];
  const append: Append = async (_topic, entries) => {
    tried.push(entries.map(({ key }) => key));
    if (tried.length === 1) throw unknownOutcome("append");
    return entries.map((_, index) => 1 + index);
  };
  await withAppends(append, async (appends) => {
    tried = [];
    const [first, keyed, other] = [undefined, "key", undefined].map((key) => appends.append("a", key, text("x")));
    await assert.rejects(first as Promise<number>, { code: "JOURNAL_UNKNOWN", outcome: "unknown" });
    await assert.rejects(other as Promise<number>, { code: "JOURNAL_UNKNOWN", outcome: "unknown" });
    const later = appends.append("a", undefined, text("y"));
    assert.deepEqual([await keyed, await later], [1, 1]);
    assert.deepEqual(tried, [[undefined, "key", undefined], ["key"], [undefined]]);
  });
});

test("in one call are so many entries, and so many bytes", async () => {
  let sizes: number[] = [];
  const append: Append = async (_topic, entries) => {
    sizes.push(entries.length);
    return entries.map(() => 1);
  };
  await withAppends(append, async (appends) => {
    sizes = [];
    for (let number = 0; number < 300; number += 1) void appends.append("a", undefined, text(number));
    for (let number = 0; number < 5; number += 1) void appends.append("b", undefined, new Uint8Array(100_000));
    void appends.append("c", undefined, new Uint8Array(500_000));
    await appends.idle();
    assert.deepEqual(
      sizes.sort((one, other) => one - other),
      [1, 1, 2, 2, 44, 256],
    );
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

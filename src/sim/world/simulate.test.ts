import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { echo, joined, PORT } from "../../../test/sim/scene.ts";
import type { ZocaloError } from "../../core/errors.ts";
import { connectOver } from "../../io/stream/connect.ts";
import { check } from "./check.ts";
import { simulate } from "./simulate.ts";
import type { World } from "./world-contract.ts";

test("an exchange takes the time of its round trips, and the same seed gives the same run", async () => {
  const main = async (world: World): Promise<string> => {
    world.host("server", echo);
    const { network } = world.host("client");
    const call = await connectOver(network, `tcp://server:${PORT}`);
    await call.write("hola");
    return String(await call.readExactly(4));
  };
  const first = await check({ seed: 5, link: { latency: 10 } }, main);
  assert.equal(first.value, "hola");
  // The look-up takes 1 ms; IPv6 is refused, IPv4 connects, and the exchange: a round trip of 20 ms each.
  assert.equal(first.durationMs, 61);
  assert.equal((await simulate({ seed: 5, link: { latency: 10 } }, main)).digest, first.digest);
  assert.notEqual((await simulate({ seed: 6, link: { latency: 10 } }, main)).digest, first.digest);
});

test("leaks fail the run even when they are caught; real files freeze the time", async () => {
  const leaking = async (world: World): Promise<void> => {
    try {
      Math.random();
    } catch {
      await world.sleep(1);
    }
  };
  await assert.rejects(simulate({}, leaking), { code: "SIM_CLOCK_LEAK" });
  const taken = setTimeout;
  const early = (): Promise<void> => new Promise((resolve) => void taken(resolve, 1));
  await assert.rejects(simulate({}, early), { code: "SIM_CLOCK_LEAK", op: "setTimeout", local: "world" });
  const inHost = async (world: World): Promise<void> => {
    world.host("a", async () => void (await fetch("http://127.0.0.1:9/").catch(() => undefined)));
    await world.sleep(1);
  };
  await assert.rejects(simulate({}, inHost), { code: "SIM_LEAK", local: "a" });
  const lines: string[] = [];
  const reading = async (world: World): Promise<void> => {
    await fs.promises.readFile(fileURLToPath(import.meta.url));
    assert.equal(world.now, 0);
  };
  await simulate({ trace: (line) => void lines.push(line) }, reading);
  assert.ok(lines.some((line) => line.includes('"frozen"')));
});

test("runs that have no end of their own get one, with a report", async () => {
  const stuck = async (world: World): Promise<void> => {
    const { call } = await joined(world);
    await call.read();
  };
  await assert.rejects(simulate({ seed: 9 }, stuck), (error: ZocaloError) => {
    assert.equal(error.code, "SIM_DEADLOCK");
    assert.match(error.detail, /a: tcp 192\.0\.2\.1:\d+>192\.0\.2\.2:7000 ESTABLISHED, 0 unread/);
    assert.match(error.detail, /seed 9/);
    return true;
  });
  const spin = async (world: World): Promise<void> => {
    for (;;) await new Promise<void>((resolve) => world.clock.defer(resolve));
  };
  await assert.rejects(simulate({ livelockEvents: 1000 }, spin), { code: "SIM_LIVELOCK" });
  const tick = async (world: World): Promise<void> => {
    await joined(world);
    for (;;) await world.sleep(1000);
  };
  await assert.rejects(simulate({ limitMs: 10_000 }, tick), {
    code: "TIMEOUT",
    message: /limitMs \(10000\)[^]*\n {2}b: listener 0\.0\.0\.0:7000, 0 waiting\n[^]*\n {2}seed 1, at 10006 ms$/,
  });
});

test("options that make no sense are refused, and so is a world within a world; two beside each other are not", async () => {
  const never = (): Promise<never> => assert.fail("it was run");
  const senseless: readonly unknown[] = [
    { seed: -1 },
    { seed: Number.NaN },
    { seed: 2 ** 53 },
    { seed: "7" },
    { seed: 0.5 },
    { limitMs: -1 },
    { livelockEvents: 0 },
    { trace: 5 },
    { capture: "file" },
    { link: { loss: 2 } },
    { tcp: { rtoMinMs: -1 } },
    { tcp: { retries: Number.NaN } },
    { tcp: { sendBufferBytes: 0 } },
    { tcp: { nonsense: 1 } },
    { tcp: { rtoMinMs: 10, rtoMaxMs: 5 } },
  ];
  for (const options of senseless) {
    await assert.rejects(simulate(options as object, never), { code: "OPTION_INVALID" }, JSON.stringify(options));
  }
  await assert.rejects(
    simulate({}, () => simulate({}, never)),
    { code: "UNSUPPORTED" },
  );
  const beside = await Promise.all([1, 2].map((seed) => simulate({ seed }, (world) => world.sleep(seed))));
  assert.deepEqual(
    beside.map(({ durationMs }) => durationMs),
    [1, 2],
  );
});

test("whatever a run fails with, its stack says the seed and the moment", async () => {
  const late = async (world: World): Promise<void> => {
    await world.sleep(12);
    assert.fail("no seed in this message");
  };
  await assert.rejects(simulate({ seed: 34 }, late), (error: Error) => {
    assert.equal(error.message, "no seed in this message");
    assert.match(error.stack ?? "", /\n {4}at 12 ms of the simulated world with seed 34$/);
    return true;
  });
  const frozen = Object.freeze(new Error("frozen"));
  await assert.rejects(
    simulate({}, () => Promise.reject(frozen)),
    frozen,
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { joined } from "../../../test/sim/scene.ts";
import type { ZocaloError } from "../../core/errors.ts";
import { bindOver } from "../../io/datagram/bind.ts";
import { check } from "./check.ts";
import type { World } from "./world-contract.ts";

async function reportOf(main: (world: World) => Promise<void>, code: string): Promise<string> {
  let detail = "";
  await assert.rejects(check({ seed: 7, livelockEvents: 1000 }, main), (error: ZocaloError) => {
    detail = error.detail;
    return error.code === code && error.detail.includes("seed 7");
  });
  return detail;
}

test("a deadlock names every host: its state, its sockets, and wake-ups that it missed", async () => {
  const report = await reportOf(async (world) => {
    const { b, call } = await joined(world);
    await bindOver(world.host("c").network, "udp://0.0.0.0:5000");
    world.host("off").crash();
    world.host("ice").freeze();
    b.pause();
    await call.write("three");
    await call.read();
  }, "SIM_DEADLOCK");
  assert.match(report, /^ {2}a: tcp 192\.0\.2\.1:\d+>192\.0\.2\.2:7000 ESTABLISHED, 0 unread, 0 unacknowledged$/m);
  assert.match(report, /^ {2}b \(paused, \d+ wake-ups missed\): listener 0\.0\.0\.0:7000, 0 waiting$/m);
  assert.match(report, /^ {4}tcp 192\.0\.2\.2:7000>192\.0\.2\.1:\d+ ESTABLISHED, 5 unread/m);
  assert.match(report, /^ {2}c: datagram socket 0\.0\.0\.0:5000, 0 unread$/m);
  assert.match(report, /^ {2}off \(down\): no sockets$/m);
  assert.match(report, /^ {2}ice \(frozen\): no sockets$/m);
});

test("a livelock names the timers that wait for the time to go on", async () => {
  const report = await reportOf(async (world) => {
    const { clock } = world.host("a").network;
    for (let seconds = 5; seconds > 0; seconds -= 1) clock.setTimer(() => undefined, seconds * 1000);
    clock.setTimer(() => undefined, 1).cancel();
    for (;;) await new Promise<void>((resolve) => world.clock.defer(resolve));
  }, "SIM_LIVELOCK");
  assert.match(report, /^ {4}5 timers, due at 1000 ms, 2000 ms, 3000 ms, \.\.\.$/m);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { codeOf, joined, PORT } from "../../../test/sim/scene.ts";
import { linkTable } from "../../core/faults/conditions.ts";
import type { Fault } from "../../core/faults/fault.ts";
import { Link } from "../../core/faults/link.ts";
import { RandomStream } from "../../core/faults/random-stream.ts";
import { bindOver } from "../../io/datagram/bind.ts";
import { connectOver } from "../../io/stream/connect.ts";
import { check } from "./check.ts";
import { Disturbances } from "./inflict.ts";

test("faults of hosts last as long as their guard", async () => {
  await check({ seed: 1 }, async (world) => {
    let starts = 0;
    const a = world.host("a", () => void (starts += 1));
    const states: string[] = [];
    for (const kind of ["pause", "freeze", "crash"] as const) {
      {
        using fault = world.inflict({ kind, host: "a" });
        states.push(`${kind} ${a.silent}`);
        assert.equal(typeof fault.heal, "function");
      }
      states.push(`healed ${a.silent}`);
    }
    assert.deepEqual(states, [
      "pause false",
      "healed false",
      "freeze true",
      "healed false",
      "crash true",
      "healed false",
    ]);
    assert.equal(starts, 2);
    const skew = world.inflict({ kind: "skew", host: "a", skewMs: 500 });
    assert.equal(a.skewMs, 500);
    // The clocks of programs are monotonic.
    skew.heal();
    assert.equal(a.skewMs, 500);
    assert.throws(() => world.inflict({ kind: "skew", host: "a", skewMs: -1 }), { code: "OPTION_INVALID" });
    const meteor = { kind: "meteor", from: "a", to: "a" } as unknown as Fault;
    for (const fault of [{ kind: "crash", host: "nobody" }, meteor] as const) {
      assert.throws(() => world.inflict(fault), { code: "OPTION_INVALID" });
    }
  });
});

test("a middlebox resets both ends of a connection, and attempts to connect are refused", async () => {
  await check({ seed: 1, cutReads: false }, async (world) => {
    const { a, call, peer } = await joined(world);
    await call.write("before");
    assert.equal(String(await peer.read()), "before");
    const reset = world.inflict({ kind: "reset", from: "a", to: "b" });
    await call.write("after");
    assert.deepEqual([await codeOf(call.read()), await codeOf(peer.read())], ["CONNECTION_RESET", "CONNECTION_RESET"]);
    assert.equal(await codeOf(connectOver(a.network, `tcp://192.0.2.2:${PORT}`)), "CONNECTION_REFUSED");
    reset.heal();
    assert.equal(await codeOf(connectOver(a.network, `tcp://192.0.2.2:${PORT}`)), "none");
  });
});

test("faults of links: one direction, all of them, and what was set before comes back", async () => {
  await check({ seed: 1 }, async (world) => {
    const hosts = ["a", "b", "c"].map((name) => world.host(name));
    const boxes = await Promise.all(hosts.map(({ network }) => bindOver(network, "udp://0.0.0.0:5000")));
    /** Which datagrams of everybody to everybody arrive. */
    const arrive = async (): Promise<string> => {
      const found: string[] = [];
      for (const [i, box] of boxes.entries()) {
        for (const [j, target] of hosts.entries()) {
          if (i !== j) await box.send(`${hosts[i]?.name}${target.name}`, `udp://${target.addresses[0]}:5000`);
        }
      }
      await world.sleep(10);
      for (const box of boxes) {
        for (const { data } of await box.receiveMany(9, { timeoutMs: 1 }).catch(() => [])) found.push(String(data));
      }
      return found.sort().join(" ");
    };
    const all = "ab ac ba bc ca cb";
    assert.equal(await arrive(), all);
    const lost = world.inflict({ kind: "loss", from: "a", to: "b", chance: 1 });
    assert.equal(await arrive(), "ac ba bc ca cb");
    const everywhere = world.inflict({ kind: "partition-one-way", from: "*", to: "c" });
    assert.equal(await arrive(), "ba ca cb");
    lost.heal();
    assert.equal(await arrive(), "ab ba ca cb");
    everywhere.heal();
    const alone = world.inflict({ kind: "isolate", host: "a" });
    assert.equal(await arrive(), "bc cb");
    alone.heal();
    assert.equal(await arrive(), all);
  });
});

test("what faults change is put over what the program sets, and taken away in any order", () => {
  const link = new Link((label) => new RandomStream(1, label));
  const disturbances = new Disturbances();
  disturbances.set(link, { loss: 0.1 });
  const first = disturbances.add(link, { loss: 0.5 });
  const second = disturbances.add(link, { loss: 0.9, duplication: 0.2 });
  assert.deepEqual(link.conditions, linkTable({ loss: 0.9, duplication: 0.2 }));
  disturbances.set(link, { latency: 20, loss: 0.2 });
  first();
  first();
  assert.deepEqual(link.conditions, linkTable({ latency: 20, loss: 0.9, duplication: 0.2 }));
  second();
  assert.deepEqual(link.conditions, linkTable({ latency: 20, loss: 0.2 }));
});

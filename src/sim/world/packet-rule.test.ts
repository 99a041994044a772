import assert from "node:assert/strict";
import { test } from "node:test";
import { codeOf, joined } from "../../../test/sim/scene.ts";
import { bindOver } from "../../io/datagram/bind.ts";
import { check } from "./check.ts";

test("when the tenth byte of a connection passes", async () => {
  await check({ seed: 1, cutReads: false }, async (world) => {
    const { b, call, peer } = await joined(world);
    const flow = call.localAddress.hostPort;
    world.rule(({ source, flowBytes }) => {
      if (source === flow && flowBytes >= 10) b.crash();
      return undefined;
    });
    await call.write("nine byte");
    assert.equal((await peer.readExactly(9)).length, 9);
    await call.write("!");
    await world.sleep(10);
    assert.equal(b.silent, true);
    assert.equal(await codeOf(call.read({ timeoutMs: 1000 })), "TIMEOUT");
  });
});

test("single datagrams can be lost and delayed, until the rule is healed", async () => {
  await check({ seed: 1 }, async (world) => {
    const [a, b] = [world.host("a"), world.host("b")];
    const box = await bindOver(b.network, "udp://0.0.0.0:5000");
    const sender = await bindOver(a.network, "udp://0.0.0.0:0");
    const rule = world.rule(({ number }) => (number === 1 ? "drop" : number === 2 ? { delayMs: 50 } : undefined));
    for (const text of ["1", "2", "3"]) await sender.send(text, "udp://192.0.2.2:5000");
    await world.sleep(10);
    assert.deepEqual(
      (await box.receiveMany(9)).map(({ data }) => String(data)),
      ["3"],
    );
    await world.sleep(50);
    assert.equal(String((await box.receive()).data), "2");
    rule.heal();
    await sender.send("4", "udp://192.0.2.2:5000");
    assert.equal(String((await box.receive()).data), "4");
  });
});

test("what must always hold ends the run, what happens sometimes is counted", async () => {
  const { coverage } = await check({ seed: 1 }, async (world) => {
    for (const value of [1, 2, 3]) {
      world.always("small", value < 10);
      world.sometimes("even", value % 2 === 0);
    }
  });
  assert.deepEqual(coverage, {
    small: { kind: "always", checked: 3, held: 3 },
    even: { kind: "sometimes", checked: 3, held: 1 },
  });
  const broken = check({ seed: 4 }, async (world) => {
    try {
      world.always("never", false);
    } catch {
      await world.sleep(1);
    }
  });
  await assert.rejects(broken, { code: "SIM_INVARIANT", message: /"never" must always hold.*seed 4, at 0 ms/ });
});

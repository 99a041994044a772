import assert from "node:assert/strict";
import { test } from "node:test";
import { codeOf } from "../../../test/sim/scene.ts";
import { bindOver } from "../../io/datagram/bind.ts";
import { check } from "../world/check.ts";

test("a datagram goes to the most exact datagram socket, and groups only to members", async () => {
  await check({ seed: 1 }, async (world) => {
    const { network } = world.host("a");
    const wide = await bindOver(network, "udp://0.0.0.0:5000", { udp: { reuseAddress: true } });
    const exact = await bindOver(network, "udp://192.0.2.1:5000", { udp: { reuseAddress: true } });
    const sender = await bindOver(network, "udp://0.0.0.0:0");
    await sender.send("exact", "udp://192.0.2.1:5000");
    await sender.send("wide", "udp://127.0.0.1:5000");
    assert.equal(String((await exact.receive()).data), "exact");
    assert.equal(String((await wide.receive()).data), "wide");
    const peer = await bindOver(network, "udp://192.0.2.1:5000", {
      udp: { reuseAddress: true },
      remote: `udp://192.0.2.1:${sender.localAddress.port}`,
    });
    await sender.send("peer", "udp://192.0.2.1:5000");
    assert.equal(String((await peer.receive()).data), "peer");
    await sender.send("nobody is a member", "udp://233.252.0.1:5000");
    await world.sleep(10);
    assert.equal(wide.stats.datagramsReceived + exact.stats.datagramsReceived, 2);
  });
});

test("a datagram socket that has not joined a group hears it when another of its host has, on the port that it stands on", async () => {
  await check({ seed: 1 }, async (world) => {
    const sender = await bindOver(world.host("a").network, "udp://0.0.0.0:0");
    const { network } = world.host("b");
    const stranger = await bindOver(network, "udp://0.0.0.0:5000");
    const send = async (): Promise<number> => {
      await sender.send("to the group", "udp://233.252.0.1:5000");
      await world.sleep(10);
      return (await stranger.receiveMany(9, { timeoutMs: 1 }).catch(() => [])).length;
    };
    assert.equal(await send(), 0);
    const member = await bindOver(network, "udp://0.0.0.0:0");
    member.udp.joinGroup("233.252.0.1");
    assert.equal(await send(), 1);
    stranger.udp.joinGroup("233.252.0.1", { source: "192.0.2.77" });
    assert.equal(await send(), 0);
    await member.close();
    stranger.udp.leaveGroup("233.252.0.1", { source: "192.0.2.77" });
    assert.equal(await send(), 0);
  });
});

test("broadcast reaches all hosts of the network that listen, and needs permission", async () => {
  await check({ seed: 1 }, async (world) => {
    const sender = await bindOver(world.host("a").network, "udp://0.0.0.0:0");
    const near = await bindOver(world.host("b").network, "udp://0.0.0.0:5000");
    const elsewhere = world.host("c", undefined, { addresses: ["198.51.100.7"] });
    const far = await bindOver(elsewhere.network, "udp://0.0.0.0:5000");
    assert.equal(await codeOf(sender.send("x", "udp://192.0.2.255:5000")), "PERMISSION_DENIED");
    sender.udp.setBroadcast(true);
    await sender.send("near", "udp://192.0.2.255:5000");
    await sender.send("all", "udp://255.255.255.255:5000");
    await world.sleep(10);
    assert.deepEqual(
      (await near.receiveMany(9)).map(({ data }) => String(data)),
      ["near", "all"],
    );
    assert.deepEqual(
      (await far.receiveMany(9)).map(({ data }) => String(data)),
      ["all"],
    );
  });
});

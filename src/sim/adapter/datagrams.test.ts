import assert from "node:assert/strict";
import { test } from "node:test";
import { codeOf } from "../../../test/sim/scene.ts";
import { bindOver } from "../../io/datagram/bind.ts";
import { serveDatagramsOver } from "../../io/datagram/serve.ts";
import type { SimHost } from "../world/host.ts";
import { check } from "../world/check.ts";

test("datagrams: fragments, unreachable ports on connected datagram sockets only, overflow, groups between hosts", async () => {
  await check({ seed: 1, link: { loss: 0.2 } }, async (world) => {
    const [a, b, c] = [world.host("a"), world.host("b"), world.host("c")];
    const box = await bindOver(b.network, "udp://0.0.0.0:5000", { limits: { maxReceiveQueueDatagrams: 10_000 } });
    const sender = await bindOver(a.network, "udp://0.0.0.0:0");
    for (let count = 0; count < 200; count += 1) await sender.send(Buffer.alloc(1000), "udp://b:5000");
    await world.sleep(100);
    const small = box.stats.datagramsReceived;
    for (let count = 0; count < 200; count += 1) {
      await sender.send(Buffer.alloc(8000), "udp://b:5000");
      await world.sleep(1);
    }
    const large = box.stats.datagramsReceived - small;
    assert.ok(small > 140 && small < 180, String(small));
    // Six fragments: 0.8^6 = 0.26.
    assert.ok(large > 30 && large < 80, String(large));
    world.link(a, b, { loss: 0 });
    world.link(a, c, { loss: 0 });
    await sender.send("to nobody", "udp://b:9");
    await world.sleep(10);
    await sender.send("no error", "udp://b:9");
    const connected = await bindOver(a.network, "udp://0.0.0.0:0", { remote: "udp://b:9" });
    await connected.send("to nobody");
    assert.equal(await codeOf(connected.receive()), "CONNECTION_REFUSED");
    const group = "udp://233.252.0.1:6000";
    const members = [await bindOver(b.network, group), await bindOver(c.network, group)];
    await sender.send("all", group);
    for (const member of members) assert.equal(String((await member.receive()).data), "all");
  });
});

test("a full receive buffer drops, and a paused datagram socket leaves datagrams in it", async () => {
  await check({ seed: 1 }, async (world) => {
    const [a, b] = [world.host("a"), world.host("b")] as [SimHost, SimHost];
    const box = await bindOver(b.network, "udp://0.0.0.0:5000", { udp: { receiveBufferBytes: 10_000 } });
    const sender = await bindOver(a.network, "udp://0.0.0.0:0");
    b.pause();
    for (let count = 0; count < 50; count += 1) await sender.send(Buffer.alloc(744), "udp://b:5000");
    await world.sleep(10);
    assert.equal(b.snapshot().datagramSockets[0]?.overflows, 40);
    b.resume();
    assert.equal((await box.receiveMany(50)).length, 10);
    assert.equal(await box.udp.kernelDrops(), 40);
    assert.equal(box.stats.datagramsDropped, 0);
  });
});

test("discovery: one question to a group, and the answers of a time, of virtual time", async () => {
  await check({ seed: 1, link: { latency: 20 } }, async (world) => {
    const asker = world.host("asker");
    const group = "udp://233.252.0.1:6000";
    for (const [index, name] of ["printer", "lamp", "oven"].entries()) {
      const { network } = world.host(name);
      const handler = async (): Promise<string> => {
        await world.sleep(index * 100);
        return name;
      };
      await serveDatagramsOver(network, group, handler);
    }
    const box = await bindOver(asker.network, "udp://0.0.0.0:0");
    await box.send("who is there?", group);
    const before = world.now;
    const found = await box.collect({ forMs: 200 });
    assert.equal(world.now - before, 200);
    assert.deepEqual(
      found.map(({ data }) => String(data)),
      ["printer", "lamp"],
    );
    assert.equal(String((await box.receive()).data), "oven");
    assert.deepEqual(await box.collect({ forMs: 1000 }), []);
  });
});

test("a server that freezes for a second loses what its buffer cannot hold; the kernel's drops say how much", async () => {
  await check({ seed: 1 }, async (world) => {
    const [a, b] = [world.host("a"), world.host("b")] as [SimHost, SimHost];
    const server = await serveDatagramsOver(b.network, "udp://0.0.0.0:5000", () => undefined);
    const { receiveBytes } = server.socket.udp.bufferSizes();
    const sender = await bindOver(a.network, "udp://0.0.0.0:0");
    b.pause();
    const count = 1000;
    for (let sent = 0; sent < count; sent += 1) await sender.send(Buffer.alloc(744), "udp://b:5000");
    await world.sleep(1000);
    b.resume();
    await world.sleep(10);
    assert.equal(await server.socket.udp.kernelDrops(), count - Math.floor(receiveBytes / 1000));
    const { datagramsReceived, datagramsDropped } = server.stats;
    assert.deepEqual([datagramsReceived, datagramsDropped], [Math.floor(receiveBytes / 1000), 0]);
  });
});

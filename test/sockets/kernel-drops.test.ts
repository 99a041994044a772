import assert from "node:assert/strict";
import { test } from "node:test";
import { bind, serveDatagrams } from "../../src/index.ts";
import { signal } from "../../src/testing/stream/check.ts";

const onLinux = { skip: process.platform === "linux" ? false : "only Linux tells" };

for (const host of ["127.0.0.1", "[::1]", "[::]"]) {
  test(
    `a flood at a server that does not read: the kernel's drops and what came are what was sent, on ${host}`,
    onLinux,
    async () => {
      const { promise: stuck, resolve: release } = signal();
      await using server = await serveDatagrams(`udp://${host}:0`, () => stuck, {
        overflow: "block",
        limits: { maxConcurrentRequests: 1, maxReceiveQueueDatagrams: 1 },
      });
      const { port } = server.localAddress;
      await using client = await bind(host === "127.0.0.1" ? "udp://127.0.0.1:0" : "udp://[::1]:0", {
        remote: host === "127.0.0.1" ? server.localAddress : `udp://[::1]:${port}`,
      });
      const items = Array.from({ length: 1000 }, () => ({ data: Buffer.alloc(1200) }));
      let sent = 0;
      const { udp } = server.socket;
      while ((await udp.kernelDrops()) === 0) sent += (await client.sendMany(items)).sent;
      assert.equal(server.stats.datagramsDropped, 0, "our own counter has seen none of it");
      const drops = (await udp.kernelDrops()) as number;
      assert.ok(drops > 0);
      assert.equal(await client.udp.kernelDrops(), 0, "the client is another socket");
      release();
      while (server.stats.datagramsReceived + drops < sent) await new Promise((resolve) => setImmediate(resolve));
      assert.equal(server.stats.datagramsReceived + drops, sent);
      assert.equal(await udp.kernelDrops(), drops);
    },
  );
}

test("sockets that share a port have each their own drops", onLinux, async () => {
  const open = { udp: { reuseAddress: true, receiveBufferBytes: 4096 }, overflow: "block" } as const;
  await using first = await bind("udp://127.0.0.1:0", { ...open, limits: { maxReceiveQueueDatagrams: 1 } });
  // On Linux the newest one takes the datagrams.
  await using second = await bind(first.localAddress, { ...open, limits: { maxReceiveQueueDatagrams: 1 } });
  await using client = await bind("udp://127.0.0.1:0", { remote: first.localAddress });
  while ((await second.udp.kernelDrops()) === 0) {
    await client.sendMany(Array.from({ length: 100 }, () => ({ data: Buffer.alloc(1200) })));
  }
  assert.equal(await first.udp.kernelDrops(), 0);
  assert.equal(second.stats.datagramsDropped, 0);
});

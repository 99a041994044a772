import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../../testing/manual-clock.ts";
import { ManualDatagrams, manualNetwork } from "../../../test/fixtures/manual-datagrams.ts";
import { bindOver } from "./bind.ts";
import type { DatagramSocket } from "./public.ts";

const clock = new ManualClock({ defer: (callback) => void setImmediate(callback) });

async function opened(transport: ManualDatagrams): Promise<DatagramSocket> {
  return await bindOver(manualNetwork(clock, [transport]), "udp://127.0.0.1:0", { remote: transport.remoteAddress });
}

test("settings are handed on, and closed datagram sockets refuse them", async () => {
  const transport = new ManualDatagrams({ local: "udp://127.0.0.1:1000" });
  const box = await opened(transport);
  const { udp, interop } = box;
  udp.setBroadcast(true);
  udp.setTtl(3);
  udp.setMulticastTtl(0);
  udp.setMulticastLoopback(false);
  udp.setMulticastInterface("lo");
  interop.unref();
  interop.ref();
  udp.joinGroup("239.1.2.3", { interface: "lo" });
  udp.leaveGroup("udp://239.1.2.3:5", { source: "192.0.2.1" });
  assert.deepEqual(transport.calls, [
    "setBroadcast true",
    "setTtl 3",
    "setMulticastTtl 0",
    "setMulticastLoopback false",
    "setMulticastInterface lo",
    "unref",
    "ref",
    'join {"group":"239.1.2.3","interface":"lo"}',
    'leave {"group":"239.1.2.3","source":"192.0.2.1"}',
  ]);
  assert.deepEqual(box.udp.bufferSizes(), { receiveBytes: 1, sendBytes: 2 });
  const { kernelDrops } = box.udp;
  assert.equal(await kernelDrops(), 3);
  assert.equal(box.interop.native, undefined);
  await box.close();
  assert.throws(() => box.udp.setTtl(1), { code: "CLOSED", op: "setTtl" });
  await assert.rejects(kernelDrops(), { code: "CLOSED", op: "kernelDrops" });
});

/** The failures of datagram sockets: bind, send, sendMany, receive, receiveMany, serveDatagrams. */

import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { describe, test } from "node:test";
import {
  bind,
  type BindOptions,
  ConnectionError,
  type DatagramSocket,
  type GroupOptions,
  serveDatagrams,
  UsageError,
  ZocaloError,
} from "../../../src/index.ts";
import { assertError } from "../../../src/testing/expect-error.ts";
import { failure, ignored, type Scene, sceneOf } from "./row.ts";

const ANY = "udp://127.0.0.1:0";
const PEER = "udp://127.0.0.1:9";

async function box(scene: Scene, options?: BindOptions): Promise<DatagramSocket> {
  return scene.keep(await bind(ANY, options));
}

async function closed(): Promise<DatagramSocket> {
  const one = await bind(ANY);
  await one.close();
  return one;
}

/** A datagram socket whose peer's machine has said that nobody is there, or soon will. */
async function alone(scene: Scene): Promise<DatagramSocket> {
  const gone = await closed();
  const one = await box(scene, { remote: gone.localAddress });
  await one.send("anybody?");
  return one;
}

describe("bind and serveDatagrams", () => {
  const op = "bind";
  const usage = { type: UsageError, op, side: "local" } as const;
  failure({ code: "ADDRESS_INVALID", ...usage }).of({
    "no port": () => bind("udp://127.0.0.1"),
    "a telephone's address": () => bind("tcp://127.0.0.1:0"),
    "a peer at port 0": () => bind(ANY, { remote: ANY }),
    "a peer of the other family": () => bind(ANY, { remote: "udp://[::1]:9" }),
    "a parameter without a group": () => bind(`${ANY}?interface=lo`),
  });
  failure({ code: "OPTION_INVALID", ...usage }).of({
    "a policy that does not exist": () => bind(ANY, { overflow: "drop-all" as never }),
    "no receive queue": () => bind(ANY, { limits: { maxReceiveQueueDatagrams: 0 } }),
    "no send queue": () => bind(ANY, { limits: { maxSendQueueBytes: 0 } }),
    "no bytes": () => bind(ANY, { limits: { maxDatagramBytes: 0 } }),
    "names that are older than now": () => bind(ANY, { dnsMaxAgeMs: -1 }),
    "IPv6 only on IPv4": () => bind(ANY, { udp: { ipv6Only: true } }),
  });
  failure({ code: "OPTION_INVALID", ...usage, op: "serveDatagrams" }).of({
    "serveDatagrams without a handler": () => serveDatagrams(ANY, undefined as never),
  });
  const system = { type: ZocaloError, op, side: "system", knows: ["local"], cause: true } as const;
  failure({ ...system, code: "ADDRESS_IN_USE" }).of({
    "the address is in use": async (scene) => await bind((await box(scene)).localAddress),
  });
  failure({ ...system, code: "ADDRESS_IN_USE", op: "serveDatagrams" }).of({
    "serveDatagrams: the address is in use": async (scene) =>
      await serveDatagrams((await box(scene)).localAddress, () => undefined),
  });
  failure({ ...system, code: "ADDRESS_NOT_AVAILABLE" }).of({
    "not an address of this machine": () => bind("udp://192.0.2.1:0"),
  });
  failure({ ...system, code: "ADDRESS_NOT_AVAILABLE", cause: false }).of({
    "a group on an interface that does not exist": () => bind("udp://239.1.2.3:0?interface=none9"),
  });
});

type Sending = (one: DatagramSocket, data: string | Uint8Array, to?: string) => Promise<unknown>;
const sendings: Readonly<Record<string, Sending>> = {
  send: (one, data, to) => one.send(data, to),
  sendMany: (one, data, to) => one.sendMany([{ data, to }]),
};

for (const [op, send] of Object.entries(sendings)) {
  const refused = { op, side: "local", outcome: "none", knows: ["local"] } as const;
  const usage = { ...refused, type: UsageError };
  describe(op, () => {
    failure({ code: "OPTION_INVALID", ...usage }).of({
      nowhere: async (scene) => await send(await box(scene), "x"),
      "an address where there is a peer": async (scene) => await send(await box(scene, { remote: PEER }), "x", PEER),
      "no bytes but a number": async (scene) => await send(await box(scene), 5 as never, PEER),
    });
    failure({ code: "ADDRESS_INVALID", ...usage }).of({
      "to port 0": async (scene) => await send(await box(scene), "x", ANY),
      "to the other family": async (scene) => await send(await box(scene), "x", "udp://[::1]:9"),
      "to a telephone": async (scene) => await send(await box(scene), "x", "tcp://127.0.0.1:9"),
    });
    failure({ code: "DATAGRAM_TOO_LARGE", ...usage }).of({
      "too large": async (scene) => await send(await box(scene), new Uint8Array(65_508), PEER),
      "larger than maxDatagramBytes": async (scene) =>
        await send(await box(scene, { limits: { maxDatagramBytes: 10 } }), new Uint8Array(11), PEER),
    });
    failure({ code: "QUEUE_FULL", ...usage }).of({
      async "the queue is full"(scene) {
        const one = await box(scene, { limits: { maxSendQueueDatagrams: 1 } });
        void ignored(one.sendMany(Array.from({ length: 1000 }, () => ({ data: "x", to: one.localAddress }))));
        await send(one, "x", one.localAddress.toString());
      },
    });
    failure({ code: "CLOSED", ...refused, type: ConnectionError }).of({
      closed: async () => await send(await closed(), "x", PEER),
    });
  });
}

test("sendMany: what the kernel refuses is in the report, with the same shape", async (context) => {
  const one = await box(sceneOf(context));
  const { sent, failures } = await one.sendMany([{ data: "x", to: "udp://255.255.255.255:9" }]);
  assert.equal(sent, 0);
  assertError(failures[0]?.error, { code: "PERMISSION_DENIED", side: "system", outcome: "none", type: ZocaloError });
});

describe("receive, receiveMany, collect and onDatagrams", () => {
  const receiving: Readonly<Record<string, (one: DatagramSocket) => Promise<unknown>>> = {
    receive: (one) => one.receive(),
    receiveMany: (one) => one.receiveMany(10),
    collect: (one) => one.collect({ forMs: 60_000 }),
  };
  for (const [op, receive] of Object.entries(receiving)) {
    failure({ code: "CLOSED", type: ConnectionError, op, side: "local", knows: ["local"] }).of({
      [`${op}: closed`]: async () => await receive(await closed()),
      async [`${op} that waits: closed`]() {
        const one = await bind(ANY);
        const waiting = ignored(receive(one));
        await one.close();
        return await waiting;
      },
    });
  }
  for (const [op, receive] of Object.entries({
    ...receiving,
    onDatagrams: (one: DatagramSocket) => one.onDatagrams(() => undefined),
  })) {
    failure({ code: "CONNECTION_REFUSED", op, side: "remote", knows: ["local", "remote"], cause: true }).of({
      [`${op}: nobody is there`]: async (scene) => await receive(await alone(scene)),
    });
  }
  failure({ code: "OPTION_INVALID", type: UsageError, op: "receiveMany", side: "local", knows: ["local"] }).of({
    "receiveMany: none": async (scene) => (await box(scene)).receiveMany(0),
  });
});

describe("groups and everybody: the sentence is about this call", () => {
  const group = { interface: "127.0.0.1" };
  const source = { ...group, source: "127.0.0.1" };
  const local = { side: "local", knows: ["local"], cause: true, type: ZocaloError } as const;
  const joined = async (scene: Scene, to: string, options: GroupOptions): Promise<DatagramSocket> => {
    const one = await box(scene);
    one.udp.joinGroup(to, options);
    return one;
  };
  const twice = { ...local, op: "joinGroup", code: "ADDRESS_IN_USE" } as const;
  failure({ ...twice, says: /^this datagram socket is in that group already$/ }).of({
    "joined twice": async (scene) => (await joined(scene, "239.1.2.3", group)).udp.joinGroup("239.1.2.3", group),
    "joined twice, once by the name of the interface": async (scene) =>
      (await joined(scene, "239.1.2.3", group)).udp.joinGroup("239.1.2.3", { interface: loopback() }),
  });
  failure({ ...twice, says: /^this datagram socket has joined that group for that source already$/ }).of({
    "one source taken twice": async (scene) =>
      (await joined(scene, "232.1.2.3", source)).udp.joinGroup("232.1.2.3", source),
  });
  const says = /^this datagram socket is not in that group/;
  failure({ ...local, op: "leaveGroup", code: "ADDRESS_NOT_AVAILABLE", says }).of({
    "left without having joined": async (scene) => (await box(scene)).udp.leaveGroup("239.1.2.3", group),
    async "left twice, with a source"(scene) {
      const one = await joined(scene, "232.1.2.3", source);
      for (let count = 0; count < 2; count += 1) one.udp.leaveGroup("232.1.2.3", source);
    },
  });
  const denied = { op: "send", code: "PERMISSION_DENIED", side: "system", outcome: "none", type: ZocaloError } as const;
  failure({ ...denied, says: /setBroadcast\(true\) first/, cause: true }).of({
    "a broadcast that was not permitted": async (scene) => (await box(scene)).send("x", "udp://255.255.255.255:9"),
  });
});

/** The name of the loopback interface. */
function loopback(): string {
  const found = Object.entries(networkInterfaces()).find(([, list]) =>
    list?.some(({ address }) => address === "127.0.0.1"),
  );
  return found?.[0] ?? "lo";
}

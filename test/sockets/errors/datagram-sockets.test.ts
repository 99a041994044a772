/** The failures of datagram sockets: bind, send, sendMany, receive, receiveMany, serveDatagrams. */

import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { describe, test } from "node:test";
import {
  bind,
  type BindOptions,
  ConnectionError,
  type DatagramSocket,
  serveDatagrams,
  UsageError,
  ZocaloError,
} from "../../../src/index.ts";
import { assertError, expectError } from "../../../src/testing/expect-error.ts";
import { checkRows, ignored, type Row, type Scene, sceneOf } from "./row.ts";

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
  const wrong = (name: string, code: "ADDRESS_INVALID" | "OPTION_INVALID", make: Row["make"]): Row => ({
    name,
    make,
    code,
    type: UsageError,
    op,
    side: "local",
  });
  const option = (name: string, options: object): Row => wrong(name, "OPTION_INVALID", () => bind(ANY, options));
  checkRows([
    wrong("no port", "ADDRESS_INVALID", () => bind("udp://127.0.0.1")),
    wrong("a telephone's address", "ADDRESS_INVALID", () => bind("tcp://127.0.0.1:0")),
    wrong("a peer at port 0", "ADDRESS_INVALID", () => bind(ANY, { remote: ANY })),
    wrong("a peer of the other family", "ADDRESS_INVALID", () => bind(ANY, { remote: "udp://[::1]:9" })),
    wrong("a parameter without a group", "ADDRESS_INVALID", () => bind(`${ANY}?interface=lo`)),
    option("a policy that does not exist", { overflow: "drop-all" }),
    option("no receive queue", { limits: { maxReceiveQueueDatagrams: 0 } }),
    option("no send queue", { limits: { maxSendQueueBytes: 0 } }),
    option("no bytes", { limits: { maxDatagramBytes: 0 } }),
    option("names that are older than now", { dnsMaxAgeMs: -1 }),
    option("IPv6 only on IPv4", { udp: { ipv6Only: true } }),
    {
      ...wrong("serveDatagrams without a handler", "OPTION_INVALID", () => serveDatagrams(ANY, undefined as never)),
      op: "serveDatagrams",
    },
    {
      name: "the address is in use",
      make: async (scene) => await bind((await box(scene)).localAddress),
      code: "ADDRESS_IN_USE",
      type: ZocaloError,
      op,
      side: "system",
      knows: ["local"],
      cause: true,
    },
    {
      name: "serveDatagrams: the address is in use",
      make: async (scene) => await serveDatagrams((await box(scene)).localAddress, () => undefined),
      code: "ADDRESS_IN_USE",
      type: ZocaloError,
      op: "serveDatagrams",
      side: "system",
      knows: ["local"],
      cause: true,
    },
    {
      name: "not an address of this machine",
      make: () => bind("udp://192.0.2.1:0"),
      code: "ADDRESS_NOT_AVAILABLE",
      type: ZocaloError,
      op,
      side: "system",
      knows: ["local"],
      cause: true,
    },
    {
      name: "a group on an interface that does not exist",
      make: () => bind("udp://239.1.2.3:0?interface=none9"),
      code: "ADDRESS_NOT_AVAILABLE",
      type: ZocaloError,
      op,
      side: "system",
      knows: ["local"],
    },
  ]);
});

type Sending = (one: DatagramSocket, data: string | Uint8Array, to?: string) => Promise<unknown>;
const sendings: Readonly<Record<string, Sending>> = {
  send: (one, data, to) => one.send(data, to),
  sendMany: (one, data, to) => one.sendMany([{ data, to }]),
};

for (const [op, send] of Object.entries(sendings)) {
  const usage = { type: UsageError, op, side: "local", outcome: "none", knows: ["local"] } as const;
  describe(op, () => {
    checkRows([
      { name: "nowhere", code: "OPTION_INVALID", ...usage, make: async (s) => await send(await box(s), "x") },
      {
        name: "an address where there is a peer",
        code: "OPTION_INVALID",
        ...usage,
        make: async (s) => await send(await box(s, { remote: PEER }), "x", PEER),
      },
      {
        name: "no bytes but a number",
        code: "OPTION_INVALID",
        ...usage,
        make: async (s) => await send(await box(s), 5 as never, PEER),
      },
      {
        name: "to port 0",
        code: "ADDRESS_INVALID",
        ...usage,
        make: async (s) => await send(await box(s), "x", ANY),
      },
      {
        name: "to the other family",
        code: "ADDRESS_INVALID",
        ...usage,
        make: async (s) => await send(await box(s), "x", "udp://[::1]:9"),
      },
      {
        name: "to a telephone",
        code: "ADDRESS_INVALID",
        ...usage,
        make: async (s) => await send(await box(s), "x", "tcp://127.0.0.1:9"),
      },
      {
        name: "too large",
        code: "DATAGRAM_TOO_LARGE",
        ...usage,
        make: async (s) => await send(await box(s), new Uint8Array(65_508), PEER),
      },
      {
        name: "larger than maxDatagramBytes",
        code: "DATAGRAM_TOO_LARGE",
        ...usage,
        make: async (s) => await send(await box(s, { limits: { maxDatagramBytes: 10 } }), new Uint8Array(11), PEER),
      },
      {
        name: "the queue is full",
        code: "QUEUE_FULL",
        ...usage,
        make: async (s) => {
          const one = await box(s, { limits: { maxSendQueueDatagrams: 1 } });
          void ignored(one.sendMany(Array.from({ length: 1000 }, () => ({ data: "x", to: one.localAddress }))));
          await send(one, "x", one.localAddress.toString());
        },
      },
      {
        name: "closed",
        make: async () => await send(await closed(), "x", PEER),
        code: "CLOSED",
        type: ConnectionError,
        op,
        side: "local",
        outcome: "none",
        knows: ["local"],
      },
    ]);
  });
}

test("send: a broadcast that was not permitted", async (context) => {
  const one = await box(sceneOf(context));
  const error = await expectError(one.send("x", "udp://255.255.255.255:9"), {
    code: "PERMISSION_DENIED",
    op: "send",
    side: "system",
    outcome: "none",
    type: ZocaloError,
  });
  assert.ok(error.cause !== undefined);
});

test("sendMany: what the kernel refuses is in the report, with the same shape", async (context) => {
  const one = await box(sceneOf(context));
  const { sent, failures } = await one.sendMany([{ data: "x", to: "udp://255.255.255.255:9" }]);
  assert.equal(sent, 0);
  assertError(failures[0]?.error, { code: "PERMISSION_DENIED", side: "system", outcome: "none", type: ZocaloError });
});

describe("receive, receiveMany and onDatagrams", () => {
  const receiving: Readonly<Record<string, (one: DatagramSocket) => Promise<unknown>>> = {
    receive: (one) => one.receive(),
    receiveMany: (one) => one.receiveMany(10),
  };
  for (const [op, receive] of Object.entries(receiving)) {
    const gone = { code: "CLOSED", type: ConnectionError, op, side: "local", knows: ["local"] } as const;
    checkRows([
      { name: `${op}: closed`, ...gone, make: async () => await receive(await closed()) },
      {
        name: `${op} that waits: closed`,
        ...gone,
        make: async () => {
          const one = await bind(ANY);
          const waiting = ignored(receive(one));
          await one.close();
          return await waiting;
        },
      },
      {
        name: `${op}: nobody is there`,
        make: async (scene) => await receive(await alone(scene)),
        code: "CONNECTION_REFUSED",
        op,
        side: "remote",
        knows: ["local", "remote"],
        cause: true,
      },
    ]);
  }
  checkRows([
    {
      name: "onDatagrams: nobody is there",
      make: async (scene) => (await alone(scene)).onDatagrams(() => undefined),
      code: "CONNECTION_REFUSED",
      op: "onDatagrams",
      side: "remote",
      knows: ["local", "remote"],
      cause: true,
    },
    {
      name: "receiveMany: none",
      make: async (scene) => (await box(scene)).receiveMany(0),
      code: "OPTION_INVALID",
      type: UsageError,
      op: "receiveMany",
      side: "local",
      knows: ["local"],
    },
  ]);
});

describe("groups and everybody: the sentence is about this call", () => {
  const group = { interface: "127.0.0.1" };
  const local = { side: "local", knows: ["local"], cause: true, type: ZocaloError } as const;
  const joined = async (scene: Scene, ...groups: readonly string[]): Promise<DatagramSocket> => {
    const one = await box(scene);
    for (const each of groups) one.udp.joinGroup(each, group);
    return one;
  };
  checkRows([
    {
      name: "joined twice",
      make: async (scene) => (await joined(scene, "239.1.2.3")).udp.joinGroup("239.1.2.3", group),
      op: "joinGroup",
      code: "ADDRESS_IN_USE",
      says: /^this datagram socket is in that group already$/,
      ...local,
    },
    {
      name: "joined twice, once by the name of the interface",
      make: async (scene) => (await joined(scene, "239.1.2.3")).udp.joinGroup("239.1.2.3", { interface: loopback() }),
      op: "joinGroup",
      code: "ADDRESS_IN_USE",
      says: /^this datagram socket is in that group already$/,
      ...local,
    },
    {
      name: "one source taken twice",
      make: async (scene) => {
        const one = await box(scene);
        for (let count = 0; count < 2; count += 1) one.udp.joinGroup("232.1.2.3", { ...group, source: "127.0.0.1" });
      },
      op: "joinGroup",
      code: "ADDRESS_IN_USE",
      says: /^this datagram socket has joined that group for that source already$/,
      ...local,
    },
    {
      name: "left without having joined",
      make: async (scene) => (await box(scene)).udp.leaveGroup("239.1.2.3", group),
      op: "leaveGroup",
      code: "ADDRESS_NOT_AVAILABLE",
      says: /^this datagram socket is not in that group/,
      ...local,
    },
    {
      name: "left twice, with a source",
      make: async (scene) => {
        const one = await box(scene);
        const source = { ...group, source: "127.0.0.1" };
        one.udp.joinGroup("232.1.2.3", source);
        for (let count = 0; count < 2; count += 1) one.udp.leaveGroup("232.1.2.3", source);
      },
      op: "leaveGroup",
      code: "ADDRESS_NOT_AVAILABLE",
      says: /^this datagram socket is not in that group/,
      ...local,
    },
    {
      name: "a broadcast that was not permitted",
      make: async (scene) => (await box(scene)).send("x", "udp://255.255.255.255:9"),
      op: "send",
      code: "PERMISSION_DENIED",
      side: "system",
      outcome: "none",
      says: /setBroadcast\(true\) first/,
    },
  ]);
});

/** The name of the loopback interface. */
function loopback(): string {
  const found = Object.entries(networkInterfaces()).find(([, list]) =>
    list?.some(({ address }) => address === "127.0.0.1"),
  );
  return found?.[0] ?? "lo";
}

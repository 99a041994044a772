/** The datagram suite: multicast (RFC 1112, RFC 4607), broadcast (RFC 919), and what the kernel can be told. */

import assert from "node:assert/strict";
import { UsageError } from "../../core/errors.ts";
import type { DatagramSocket } from "../../io/datagram/public.ts";
import { arrivesNext, type DatagramChecks, type DatagramTraits, take } from "./world.ts";
import { assertError, expectError } from "../expect-error.ts";

/** What the kernel can be told. */
export const settingChecks: DatagramChecks = {
  async "what the kernel can be told is told, and refused when it makes no sense"({ open }) {
    const box = await open({ udp: { receiveBufferBytes: 65_536, sendBufferBytes: 65_536 } });
    const { udp, interop } = box;
    udp.setTtl(32);
    udp.setMulticastTtl(0);
    udp.setMulticastLoopback(true);
    for (const on of [true, false]) udp.setBroadcast(on);
    interop.unref();
    interop.ref();
    const { receiveBytes, sendBytes } = box.udp.bufferSizes();
    assert.ok(receiveBytes >= 65_536 && sendBytes >= 65_536, `${receiveBytes} and ${sendBytes}`);
    for (const hops of [0, 256, -1]) {
      assertError(
        thrownBy(() => box.udp.setTtl(hops)),
        { code: "OPTION_INVALID", op: "setTtl", type: UsageError },
      );
    }
    assertError(
      thrownBy(() => box.udp.setMulticastTtl(256)),
      { code: "OPTION_INVALID", op: "setMulticastTtl" },
    );
    const unknown = thrownBy(() => box.udp.setMulticastInterface("no such interface"));
    assertError(unknown, { code: "ADDRESS_NOT_AVAILABLE", op: "setMulticastInterface", side: "system" });
    await arrivesNext(box);
  },

  async "the kernel's drops are a number, or unknown; nothing is lost where nothing came"({ open }) {
    const box = await open();
    await arrivesNext(box);
    assert.ok([0, undefined].includes(await box.udp.kernelDrops()));
  },

  async "only groups of the own IP version can be joined"({ open, host }) {
    const box = await open();
    const [own, other] = host.includes(":") ? ["ff02::1234", "239.1.2.3"] : ["239.1.2.3", "ff02::1234"];
    const expected = { code: "ADDRESS_INVALID", op: "joinGroup", type: UsageError } as const;
    for (const group of [host, other, "plaza.example"])
      assertError(
        thrownBy(() => box.udp.joinGroup(group)),
        expected,
      );
    assertError(
      thrownBy(() => box.udp.joinGroup(own, { source: "plaza.example" })),
      expected,
    );
    const unknown = thrownBy(() => box.udp.joinGroup(own, { interface: "no such interface" }));
    assertError(unknown, { code: "ADDRESS_NOT_AVAILABLE", op: "joinGroup" });
  },
};

/** Groups. */
export const multicastChecks: DatagramChecks = {
  async "a datagram socket bound to a group gets what is sent to the group, and so does its neighbour"({
    openAt,
    traits,
  }) {
    const { group } = partsOf(traits);
    const first = await openAt(group);
    const to = first.localAddress;
    const second = await openAt(group.replace(/:0\b/, `:${to.port}`));
    await first.send("to all", to);
    for (const member of [first, second]) {
      const { data, from } = await member.receive();
      assert.equal(data.toString(), "to all");
      // The sender of a datagram to a group is one machine (RFC 1122 section 3.2.1.3).
      assert.ok(!from.isMulticast && from.port === to.port);
    }
    const speaker = await openAt("udp://0.0.0.0:0", { remote: `${to.toString()}${new URL(group).search}` });
    await speaker.send("from outside");
    for (const member of [first, second]) assert.deepEqual(await take(member, 1), ["from outside"]);
  },

  async "a group on an interface that is not there cannot be bound"({ openAt, traits }) {
    const { name } = partsOf(traits);
    const lost = openAt(`udp://${name}:0?interface=nowhere`);
    await expectError(lost, { code: "ADDRESS_NOT_AVAILABLE", op: "bind", side: "system" });
  },

  async "a group can be joined and left"({ openAt, settle, traits }) {
    const { group, name, way } = partsOf(traits);
    const box = await openAt(`udp://0.0.0.0:0`);
    const speaker = await speakerTo(group, openAt, box);
    await speaker.send("not yet");
    await settle();
    assert.equal(box.stats.datagramsReceived, 0);
    box.udp.joinGroup(name, { interface: way });
    assertError(
      thrownBy(() => box.udp.joinGroup(name, { interface: way })),
      { code: "ADDRESS_IN_USE", op: "joinGroup" },
    );
    await speaker.send("now");
    assert.deepEqual(await take(box, 1), ["now"]);
    box.udp.leaveGroup(name, { interface: way });
    await speaker.send("no more");
    await settle();
    assert.equal(box.stats.datagramsReceived, 1);
    const gone = thrownBy(() => box.udp.leaveGroup(name, { interface: way }));
    assertError(gone, { code: "ADDRESS_NOT_AVAILABLE", op: "leaveGroup" });
  },

  async "a source-specific member hears that source only"({ openAt, settle, traits }) {
    const { group, name, way } = partsOf(traits);
    const box = await openAt("udp://0.0.0.0:0");
    const speaker = await speakerTo(group, openAt, box);
    box.udp.joinGroup(name, { interface: way, source: "192.0.2.99" });
    await speaker.send("from another source");
    await settle();
    assert.equal(box.stats.datagramsReceived, 0);
    box.udp.leaveGroup(name, { interface: way, source: "192.0.2.99" });
    box.udp.joinGroup(name, { interface: way });
    await speaker.send("who are you?");
    const { from } = await box.receive();
    box.udp.leaveGroup(name, { interface: way });
    box.udp.joinGroup(name, { interface: way, source: from.host });
    await speaker.send("from this source");
    assert.deepEqual(await take(box, 1), ["from this source"]);
  },
};

/** Broadcast. */
export const broadcastChecks: DatagramChecks = {
  async "a broadcast needs setBroadcast, and then arrives"({ openAt, open, traits: { broadcast } }) {
    const listener = await openAt(`udp://${broadcast?.at}:0`);
    const speaker = await open();
    const to = `udp://${broadcast?.to}:${listener.localAddress.port}`;
    const expected = { code: "PERMISSION_DENIED", op: "send", side: "system", outcome: "none", remote: to } as const;
    await expectError(speaker.send("not allowed", to), expected);
    const many = await speaker.sendMany([
      { data: "a", to },
      { data: "b", to: listener.localAddress.with({ host: "127.0.0.1" }) },
    ]);
    assert.deepEqual([many.sent, many.failures.map(({ index }) => index)], [1, [0]]);
    assertError(many.failures[0]?.error, { ...expected, op: "sendMany" });
    speaker.udp.setBroadcast(true);
    await speaker.send("to everybody", to);
    assert.deepEqual(await take(listener, 2), ["b", "to everybody"]);
  },
};

/** What `action` throws. */
function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return assert.fail("it should have thrown");
}

function partsOf({
  group = "",
}: DatagramTraits): Readonly<Record<"group" | "name", string>> & { way: string | undefined } {
  const url = new URL(group);
  return { group, name: url.hostname, way: url.searchParams.get("interface") ?? undefined };
}

/** A datagram socket connected to the group at the port of `box`. */
async function speakerTo(
  group: string,
  openAt: (address: string, options: { remote: string }) => Promise<DatagramSocket>,
  box: DatagramSocket,
): Promise<DatagramSocket> {
  return await openAt("udp://0.0.0.0:0", { remote: group.replace(/:0\b/, `:${box.localAddress.port}`) });
}

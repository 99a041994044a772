/** What every datagram socket must do, whatever carries it. The rules are those of `DatagramSocket` and `DatagramServer`. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { UsageError, ZocaloError } from "../../core/errors.ts";
import type { DatagramSocket } from "../../io/datagram/public.ts";
import { expectError } from "../expect-error.ts";
import { pending } from "../stream/check.ts";
import { closeChecks } from "./close.ts";
import { broadcastChecks, multicastChecks, settingChecks } from "./groups.ts";
import { loopChecks } from "./loops.ts";
import { blockChecks, queueChecks } from "./queue.ts";
import { collectChecks, receiveChecks } from "./receive.ts";
import { sendChecks } from "./send.ts";
import { datagramServerChecks } from "./server.ts";
import { datagramTransferChecks, ownNameChecks } from "./transfer.ts";
import { type DatagramChecks, type DatagramScene, type DatagramWorld, inWorld, numbers, take } from "./world.ts";

/**
 * Puts the datagram sockets of a network through everything that the contract promises: transfer, sending, receiving, the receive
 * queue, connected mode, groups and broadcast, closing, and stateless servers. Registers a `describe` block with
 * `node:test`; call it in a test file.
 *
 * @param name - Names the block.
 *
 * @example
 * ```ts
 * import { nodeNetwork } from "zocalo";
 * import { datagramSuite } from "zocalo/testing";
 * datagramSuite("udp, IPv4", {
 *   host: "127.0.0.1",
 *   traits: { refusals: true, pauses: true },
 *   run: (body) => body(nodeNetwork),
 * });
 * ```
 */
export function datagramSuite(name: string, world: DatagramWorld): void {
  const { traits } = world;
  const checks = [
    datagramTransferChecks,
    sendChecks,
    receiveChecks,
    collectChecks,
    loopChecks,
    queueChecks,
    connectedChecks,
    settingChecks,
    closeChecks,
    datagramServerChecks,
    ...(traits.name === undefined ? [] : [ownNameChecks]),
    ...(traits.pauses ? [blockChecks] : []),
    ...(traits.refusals ? [refusalChecks] : []),
    ...(traits.group === undefined ? [] : [multicastChecks]),
    ...(traits.broadcast === undefined ? [] : [broadcastChecks]),
  ];
  void describe(name, () => {
    for (const [title, body] of checks.flatMap((one) => Object.entries(one)))
      void it(title, () => inWorld(world, body));
  });
}

/** Connected mode. */
const connectedChecks: DatagramChecks = {
  async "a connected datagram socket sends without an address and hears its peer only"({ open, settle }) {
    const [peer, stranger] = [await open(), await open()];
    const box = await open({ remote: peer.localAddress });
    assert.ok(box.remoteAddress?.equals(peer.localAddress));
    assert.equal(peer.remoteAddress, undefined);
    await box.send("hola");
    await box.sendMany([{ data: "uno" }, { data: "dos" }]);
    assert.deepEqual(await take(peer, 3), ["hola", "uno", "dos"]);
    await stranger.send("psst", box.localAddress);
    await settle();
    await peer.send("sí", box.localAddress);
    const { data, from } = await box.receive();
    assert.equal(data.toString(), "sí");
    assert.ok(from.equals(peer.localAddress));
    assert.equal(box.stats.datagramsReceived, 1);
  },

  async "an address on a connected datagram socket is refused"({ open }) {
    const peer = await open();
    const box = await open({ remote: peer.localAddress });
    const to = peer.localAddress;
    const expected = { code: "OPTION_INVALID", type: UsageError, outcome: "none", remote: to.toString() } as const;
    await expectError(box.send("x", to), { ...expected, op: "send" });
    await expectError(box.sendMany([{ data: "x", to }]), { ...expected, op: "sendMany" });
  },

  async "a peer that cannot be one is refused"({ open, local, host }) {
    const other = host.includes(":") ? "udp://127.0.0.1:9" : "udp://[::1]:9";
    for (const remote of [local, "tcp://127.0.0.1:9", other]) {
      await expectError(open({ remote }), { code: "ADDRESS_INVALID", op: "bind", type: UsageError });
    }
  },
};

/** Connected mode, where a peer that is not there is noticed. */
const refusalChecks: DatagramChecks = {
  async "a refusal ends the receive that waits, and the datagram socket goes on"(scene) {
    const box = await orphan(scene);
    for (let round = 0; round < 3; round += 1) {
      const waiting = pending(box.receive());
      await box.send("anybody?");
      const remote = box.remoteAddress?.toString();
      await expectError(waiting, {
        code: "CONNECTION_REFUSED",
        op: "receive",
        type: ZocaloError,
        side: "remote",
        remote,
      });
    }
  },

  async "a refusal is told to the first that waits, and to nobody else"(scene) {
    const { openAt } = scene;
    const box = await orphan(scene);
    const first = pending(box.receive());
    const second = pending(box.receiveMany(1));
    await box.send("anybody?");
    await expectError(first, { code: "CONNECTION_REFUSED", op: "receive" });
    const peer = await openAt(String(box.remoteAddress));
    await peer.send("me", box.localAddress);
    assert.equal((await second)[0]?.data.toString(), "me");
  },

  async "with nobody waiting, the next call rejects, be it a send; the one after is sent"(scene) {
    const { openAt, settle } = scene;
    const box = await orphan(scene);
    await box.send("anybody?");
    await settle();
    await expectError(box.send("not sent"), {
      code: "CONNECTION_REFUSED",
      op: "send",
      side: "remote",
      outcome: "none",
    });
    const peer = await openAt(String(box.remoteAddress));
    await box.send("sent");
    assert.deepEqual(await take(peer, 1), ["sent"]);
  },

  async "sendMany to nobody says what was not sent, and the rest is sent"(scene) {
    const box = await orphan(scene);
    const { sent, failures } = await box.sendMany(numbers(6).map((data) => ({ data })));
    assert.equal(sent + failures.length, 6);
    assert.equal(box.stats.datagramsSent, sent);
    for (const { index, error } of failures) {
      assert.ok(index > 0 && index < 6);
      assert.ok(error instanceof ZocaloError);
      const { code, op, outcome } = error;
      assert.deepEqual({ code, op, outcome }, { code: "CONNECTION_REFUSED", op: "sendMany", outcome: "none" });
    }
  },
};

/** A datagram socket whose peer is gone. */
async function orphan({ open }: DatagramScene): Promise<DatagramSocket> {
  const peer = await open();
  const box = await open({ remote: peer.localAddress });
  await peer.close();
  return box;
}

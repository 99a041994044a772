/** What every datagram socket must do, whatever carries it. The rules are those of `DatagramSocket` and `DatagramServer`. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { UsageError, ZocaloError } from "../../core/errors.ts";
import type { DatagramSocket } from "../../io/datagram/public.ts";
import { expectError } from "../expect-error.ts";
import { pending } from "../stream/check.ts";
import { closeChecks } from "./close.ts";
import { groupChecks } from "./groups.ts";
import { loopChecks } from "./loops.ts";
import { queueChecks } from "./queue.ts";
import { receiveChecks } from "./receive.ts";
import { sendChecks } from "./send.ts";
import { datagramServerChecks } from "./server.ts";
import { datagramTransferChecks } from "./transfer.ts";
import {
  type DatagramCheck,
  type DatagramScene,
  type DatagramTraits,
  type DatagramWorld,
  inWorld,
  numbers,
  take,
} from "./world.ts";

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
  const check: DatagramCheck = (title, body) => {
    void it(title, () => inWorld(world, body));
  };
  void describe(name, () => {
    datagramTransferChecks(check, world.traits);
    sendChecks(check);
    receiveChecks(check);
    loopChecks(check);
    queueChecks(check, world.traits);
    connectedChecks(check, world.traits);
    groupChecks(check, world.traits);
    closeChecks(check);
    datagramServerChecks(check);
  });
}

/** Connected mode. */
function connectedChecks(check: DatagramCheck, traits: DatagramTraits): void {
  peerChecks(check);
  if (traits.refusals) refusalChecks(check);
}

function peerChecks(check: DatagramCheck): void {
  check("a connected datagram socket sends without an address and hears its peer only", async ({ open, settle }) => {
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
  });

  check("an address on a connected datagram socket is refused", async ({ open }) => {
    const peer = await open();
    const box = await open({ remote: peer.localAddress });
    const to = peer.localAddress;
    const expected = { code: "OPTION_INVALID", type: UsageError, outcome: "none", remote: to.toString() } as const;
    await expectError(box.send("x", to), { ...expected, op: "send" });
    await expectError(box.sendMany([{ data: "x", to }]), { ...expected, op: "sendMany" });
  });

  check("a peer that cannot be one is refused", async ({ open, local, host }) => {
    const other = host.includes(":") ? "udp://127.0.0.1:9" : "udp://[::1]:9";
    for (const remote of [local, "tcp://127.0.0.1:9", other]) {
      await expectError(open({ remote }), { code: "ADDRESS_INVALID", op: "bind", type: UsageError });
    }
  });
}

/** A datagram socket whose peer is gone. */
async function orphan({ open }: DatagramScene): Promise<DatagramSocket> {
  const peer = await open();
  const box = await open({ remote: peer.localAddress });
  await peer.close();
  return box;
}

function refusalChecks(check: DatagramCheck): void {
  check("a refusal ends the receive that waits, and the datagram socket goes on", async (scene) => {
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
  });

  check("a refusal is told to the first that waits, and to nobody else", async (scene) => {
    const { openAt } = scene;
    const box = await orphan(scene);
    const first = pending(box.receive());
    const second = pending(box.receiveMany(1));
    await box.send("anybody?");
    await expectError(first, { code: "CONNECTION_REFUSED", op: "receive" });
    const peer = await openAt(String(box.remoteAddress));
    await peer.send("me", box.localAddress);
    assert.equal((await second)[0]?.data.toString(), "me");
  });

  check("with nobody waiting, the next call rejects, be it a send; the one after is sent", async (scene) => {
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
  });

  check("sendMany to nobody says what was not sent, and the rest is sent", async (scene) => {
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
  });
}

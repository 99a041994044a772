/** What every mailbox must do, whatever carries it. The rules are those of `DatagramSocket` and `DatagramServer`. */

import { describe, it } from "node:test";
import { closeChecks } from "./close.ts";
import { connectedChecks } from "./connected.ts";
import { groupChecks } from "./groups.ts";
import { queueChecks } from "./queue.ts";
import { receiveChecks } from "./receive.ts";
import { sendChecks } from "./send.ts";
import { datagramServerChecks } from "./server.ts";
import { datagramTransferChecks } from "./transfer.ts";
import { type DatagramCheck, type DatagramWorld, inWorld } from "./world.ts";

/**
 * Puts the mailboxes of a network through everything that the contract promises: transfer, sending, receiving, the receive
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
    queueChecks(check, world.traits);
    connectedChecks(check, world.traits);
    groupChecks(check, world.traits);
    closeChecks(check);
    datagramServerChecks(check);
  });
}

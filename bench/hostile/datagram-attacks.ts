/** Attacks on services over datagrams. */

import dgram from "node:dgram";
import { setTimeout as sleep } from "node:timers/promises";
import { type Attack, untilAborted } from "./attack.ts";
import { readings } from "./targets.ts";

const TICK_MS = 5;
/** So many in a row fit into the buffer of a usual socket. */
const MOST_AT_ONCE = 100;

/** Datagrams of the contract that make no sense: of no method, or with a body that cannot be decoded. */
const nonsense: Attack = async (place, bounds, done, signal) => {
  const box = dgram.createSocket("udp4");
  const head = Buffer.alloc(15);
  head.write("5a440101", 0, "hex");
  head[4] = 2;
  head.writeBigUInt64BE(BigInt(`0x${readings.hash}`), 5);
  const [unknown, broken] = [Buffer.from(head), Buffer.concat([head, Buffer.from("{")])];
  unknown.writeUInt16BE(99, 13);
  broken.writeUInt16BE(1, 13);
  const startedAt = performance.now();
  while (!signal.aborted && done.bytes < bounds.maxBytes) {
    const allowed = ((performance.now() - startedAt) * bounds.bytesPerSecond) / 1000;
    for (let sent = 0; sent < MOST_AT_ONCE && done.bytes < allowed; sent += 1) {
      const datagram = sent % 2 === 0 ? unknown : broken;
      box.send(datagram, place.port, place.host);
      done.bytes += datagram.length;
    }
    await sleep(TICK_MS);
  }
  await untilAborted(signal);
  box.close();
};

/** The server provokes itself: see `provoke` of the target. */
const provoked: Attack = (_place, _bounds, _done, signal) => untilAborted(signal);

/** By name. */
export const datagramAttacks = { nonsense, provoked } as const satisfies Record<string, Attack>;

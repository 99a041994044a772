/** Gathering the datagrams of a stretch of time. */

import { checkOptions } from "../../core/options/check-options.ts";
import type { Datagram } from "../network/datagrams.ts";
import { Deadline } from "../operation/deadline.ts";
import { handled } from "../operation/handled-rejection.ts";
import type { DatagramPartOwner } from "./owner.ts";
import { BATCH_DATAGRAMS, type DatagramQueue, type Takings } from "./queue.ts";
import { COLLECT_RULES, type CollectOptions } from "./settings.ts";

/** Gathers, for a time, what `read` makes of datagrams; one of which it makes nothing does not count. */
export function collect<T>(
  owner: DatagramPartOwner,
  inbound: Takings,
  read: (datagram: Datagram) => T | undefined,
  options: CollectOptions,
): Promise<T[]> {
  return handled(gather(owner, inbound, read, options));
}

async function gather<T>(
  owner: DatagramPartOwner,
  inbound: Takings,
  read: (datagram: Datagram) => T | undefined,
  options: CollectOptions,
): Promise<T[]> {
  // Without any, it would have no time.
  const given = options === undefined ? ({} as CollectOptions) : options;
  const { forMs, max = BATCH_DATAGRAMS, signal, until } = checkOptions(owner.context("collect"), given, COLLECT_RULES);
  const gathered: T[] = [];
  const datagrams: Datagram[] = [];
  let bytes = 0;
  const isEnough = (): boolean => gathered.length >= max || bytes >= inbound.maxBytes;
  const take = (queue: DatagramQueue): boolean | undefined => {
    const before = gathered.length;
    while (queue.length > 0 && !isEnough()) {
      const datagram = queue.shift();
      const item = read(datagram);
      if (item === undefined) continue;
      gathered.push(item);
      datagrams.push(datagram);
      bytes += datagram.data.length;
    }
    return gathered.length > before ? true : undefined;
  };
  const over = new AbortController();
  const end = (): void => over.abort();
  const deadline = new Deadline(owner.clock, { timeoutMs: forMs, until }, end, end);
  if (until?.aborted === true) end();
  try {
    const each = { signal, until: over.signal };
    while (!isEnough() && (await inbound.receive({ op: "collect", take, end: false }, each)));
    return gathered;
  } catch (error) {
    inbound.putBack(datagrams);
    throw error;
  } finally {
    deadline.cancel();
  }
}

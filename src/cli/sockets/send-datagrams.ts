/** `zocalo send` on udp:. A message is a datagram. */

import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { type Address, type AddressFamily, bind, type DatagramSocket, TimeoutError, ZocaloError } from "../../index.ts";
import { wrongUsage } from "../terminal/exit-codes.ts";
import { FRAMED_DATAGRAM } from "./framing-option.ts";
import type { CommandContext } from "../terminal/run-command.ts";
import type { SendFlags, SendReport } from "./send-flags.ts";
import { showReply, tellNoReply } from "./show-reply.ts";
import { clientTls } from "./tls-flags.ts";

/** Sends the datagrams and takes the replies to each for a while. */
export async function sendDatagrams(
  address: Address,
  messages: Iterable<string>,
  flags: SendFlags,
  context: CommandContext,
): Promise<SendReport> {
  refuseConnectionFlags(address, flags);
  const { stop, output } = context;
  const toMany = address.isMulticast || address.isBroadcast;
  const to = toMany ? address.with({ params: {} }) : undefined;
  const box = await openMailbox(address, toMany, stop);
  output.detail(
    { event: "open", local: String(box.localAddress), remote: String(address) },
    `sending from ${String(box.localAddress)} to ${String(address)}`,
  );
  let sent = 0;
  let replies = 0;
  try {
    for (const message of messages) {
      if (sent > 0 && flags.interval > 0) await delay(flags.interval, undefined, { signal: stop });
      const sentAtMs = performance.now();
      await box.send(message, to, { signal: stop });
      sent += 1;
      if (flags.wait === 0) continue;
      const came = await takeReplies(box, toMany, sentAtMs, flags, context);
      if (came === 0) tellNoReply(address, flags, context);
      replies += came;
    }
  } catch (error) {
    throw stop.aborted ? stop.reason : error;
  } finally {
    await box.close();
  }
  return { sent, replies };
}

/** One partner is connected to, so that "nobody listens there" is heard; a group answers from many addresses. */
async function openMailbox(address: Address, toMany: boolean, signal: AbortSignal): Promise<DatagramSocket> {
  if (!toMany) return await openFor(address, signal);
  const box = await bind(anyAddress(address.family), { signal });
  const { interface: way } = address.params;
  if (way !== undefined) box.setMulticastInterface(way);
  if (address.isBroadcast) box.setBroadcast(true);
  return box;
}

/** A name is looked up in IPv4 first, as `listen` does, so that both sides of `localhost` meet. */
async function openFor(remote: Address, signal: AbortSignal): Promise<DatagramSocket> {
  try {
    return await bind(anyAddress(remote.family), { remote, signal });
  } catch (error) {
    const unknown = error instanceof ZocaloError && error.code.startsWith("NAME_");
    if (!unknown || remote.family !== "name") throw error;
    return await bind(anyAddress(6), { remote, signal });
  }
}

function anyAddress(family: AddressFamily): string {
  return family === 6 ? "udp://[::]:0" : "udp://0.0.0.0:0";
}

/** Shows the reply to one datagram, or all that come from a group, and answers how many came. */
async function takeReplies(
  box: DatagramSocket,
  toMany: boolean,
  sentAtMs: number,
  flags: SendFlags,
  context: CommandContext,
): Promise<number> {
  const most = toMany ? Number.POSITIVE_INFINITY : 1;
  let replies = 0;
  try {
    while (replies < most) {
      const timeoutMs = Math.max(0, sentAtMs + flags.wait - performance.now());
      const { data, from } = await box.receive({ timeoutMs, signal: context.stop });
      replies += 1;
      await showReply(data, from, sentAtMs, flags, context);
    }
  } catch (error) {
    if (!(error instanceof TimeoutError)) throw error;
  }
  return replies;
}

/** What is about connections is refused, not ignored. */
function refuseConnectionFlags(address: Address, flags: SendFlags): void {
  clientTls(address, flags);
  if (flags.framing !== undefined) throw wrongUsage(FRAMED_DATAGRAM, String(address));
  const given =
    flags.waitForServer !== undefined ? "--wait-for-server" : flags.timeout !== undefined ? "--timeout" : "";
  if (given === "") return;
  throw wrongUsage(`${given} has no meaning over UDP: it has no connections; see --wait`, String(address));
}

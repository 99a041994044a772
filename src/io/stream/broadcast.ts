/** One piece of data to many connections, of which a slow one stops no other. */

import { ByteWriter } from "../../core/bytes/byte-writer.ts";
import type { Codec } from "../../core/framing/codec.ts";
import {
  ANYTHING,
  checkOptions,
  CODEC,
  FROM_ZERO,
  ITERABLE,
  oneOf,
  OPERATION_RULES,
  optionInvalid,
  type RulesOf,
} from "../../core/options/check-options.ts";
import type { Clock } from "../network/network.ts";
import { type OperationContext, type OperationOptions, refusedAtOnce } from "../operation/deadline.ts";
import { withOneDeadline } from "../operation/within.ts";
import { codecFailure } from "../operation/restated.ts";
import { chunksOf, type Outbound } from "./outbound.ts";
import type { StreamSocket } from "./public.ts";
import { StreamSocket as Connection } from "./socket.ts";

/** A connection, or one with framing. */
export type BroadcastMember = StreamSocket | { readonly socket: StreamSocket };

/** Options of `Server.broadcast`. */
export interface StreamBroadcastOptions extends OperationOptions {
  /**
   * What becomes of a member that is slow.
   *
   * - `disconnect` (the default): it is reset, and its calls reject with `WRITE_STALLED`. Who stays connected has missed nothing.
   * - `drop`: it does not get this piece, and stays connected. For what the next piece replaces, such as a position or a price.
   * - `wait`: the call waits until the kernel has the piece for each member. For a sender that may be as slow as the slowest member,
   *   such as the copy of a file.
   */
  readonly slow?: "disconnect" | "drop" | "wait" | undefined;
  /**
   * A member is slow when, with this piece, more bytes than this would wait for it in this program, and some wait already. The
   * buffers of the kernel come before: they hold some hundred kilobytes to some megabytes for each. Default 1 MiB, as for the
   * events of sessions: a pause of seconds is no harm, and a thousand members that stand still hold 1 GiB, not sixteen. Never more
   * than `limits.maxWriteQueueBytes`, which alone counts under `wait`.
   */
  readonly maxWaitingBytes?: number | undefined;
  /** Who gets it: some connections, also as framed ones. Default: all in `server.peers`. */
  readonly to?: Iterable<BroadcastMember> | undefined;
  /** Who does not get it: one connection or several, such as the one that it came from. */
  readonly except?: BroadcastMember | Iterable<BroadcastMember> | undefined;
}

/** With a codec, what is sent is a message. */
export interface MessageBroadcastOptions<In> extends StreamBroadcastOptions {
  /** Makes bytes of the message: once for all members. */
  readonly codec: Codec<In, unknown>;
}

/**
 * What became of a broadcast, counted in connections. Those that this program or the network has ended, or whose sending side has
 * ended, count nowhere.
 */
export interface StreamBroadcastReport {
  /** The kernel has all of it, or is taking it. */
  readonly sent: number;
  /** It waits in this program, whole, and leaves as the peer reads. 0 under `wait`. */
  readonly waiting: number;
  /** Nothing of it was sent: the member was slow under `drop`; under `wait` the time was over, or the member was lost. */
  readonly dropped: number;
  /** The member was slow, and was reset. */
  readonly disconnected: number;
}

const DEFAULT_WAITING_BYTES = 1_048_576;

/** What the options must look like. */
const RULES: RulesOf<MessageBroadcastOptions<unknown>> = {
  ...OPERATION_RULES,
  slow: oneOf("disconnect", "drop", "wait"),
  maxWaitingBytes: FROM_ZERO,
  to: { ...ITERABLE, required: false },
  except: ANYTHING,
  codec: { ...CODEC, required: false },
};

/** Sends `data` to `peers`, or to those of the options; see `Server.broadcast`. */
export async function broadcast(
  clock: Clock,
  context: OperationContext,
  peers: Iterable<Connection>,
  data: unknown,
  given: StreamBroadcastOptions & { readonly codec?: Codec<unknown, unknown> },
): Promise<StreamBroadcastReport> {
  const { signal, timeoutMs, ...options } = checkOptions<typeof given>(context, given, RULES);
  const { slow = "disconnect", maxWaitingBytes = DEFAULT_WAITING_BYTES, codec } = options;
  const members = membersOf(context, options.to ?? peers, options.except);
  // A copy that is this call's own: the caller may reuse its input, and all members share one.
  const piece = Buffer.concat(codec === undefined ? chunksOf(data, () => context) : encoded(data, codec, context));
  if (slow === "wait") {
    const wait = (each: OperationOptions | undefined): Promise<StreamBroadcastReport> =>
      waitForAll(members, piece, each);
    return await withOneDeadline(clock, { signal, timeoutMs }, context, "none", wait);
  }
  const refused = refusedAtOnce({ signal, timeoutMs }, () => context);
  if (refused !== undefined) throw refused.reason;
  return sendTogether(clock, members, piece, { slow, maxWaitingBytes });
}

/** What is sent to a member in one turn leaves in one system call, at the end of the turn. */
function sendTogether(
  clock: Clock,
  members: readonly Connection[],
  piece: Buffer,
  { slow, maxWaitingBytes }: { readonly slow: "disconnect" | "drop"; readonly maxWaitingBytes: number },
): StreamBroadcastReport {
  const report = { sent: 0, waiting: 0, dropped: 0, disconnected: 0 };
  const first: Outbound[] = [];
  const tooSlow: Connection[] = [];
  for (const member of members) {
    const { outbound } = member;
    // What a framed writer has gathered waits, too.
    outbound.gatherer?.handOver();
    if (outbound.hasRoom(piece.length, maxWaitingBytes)) {
      if (!outbound.gathers) first.push(outbound);
      outbound.gather(piece);
      report[outbound.gathers || !outbound.busy ? "sent" : "waiting"] += 1;
    } else if (slow === "drop") report.dropped += 1;
    else tooSlow.push(member);
  }
  const detail = `more than ${maxWaitingBytes} bytes (maxWaitingBytes of broadcast) would wait for this peer, which is too slow`;
  // Afterwards: listeners of their signals may do anything with the others.
  for (const member of tooSlow) member.expire("WRITE_STALLED", detail);
  report.disconnected = tooSlow.length;
  if (first.length > 0) {
    clock.defer(() => {
      for (const outbound of first) outbound.handOver();
    });
  }
  return report;
}

async function waitForAll(
  members: readonly Connection[],
  piece: Buffer,
  each: OperationOptions | undefined,
): Promise<StreamBroadcastReport> {
  const taken = await Promise.all(members.map((member) => member.outbound.offer(piece, each)));
  const sent = taken.filter(Boolean).length;
  return { sent, waiting: 0, dropped: taken.length - sent, disconnected: 0 };
}

/** The connections that can be sent something, each once. */
function membersOf(
  context: OperationContext,
  to: Iterable<BroadcastMember>,
  except: StreamBroadcastOptions["except"],
): readonly Connection[] {
  const members = new Set<Connection>();
  for (const member of to) members.add(connectionOf(context, "to", member));
  for (const member of except === undefined ? [] : several(except)) {
    members.delete(connectionOf(context, "except", member));
  }
  return Array.from(members).filter(({ outbound }) => outbound.state === "open");
}

function several(except: BroadcastMember | Iterable<BroadcastMember>): Iterable<BroadcastMember> {
  return ITERABLE.holds(except) ? (except as Iterable<BroadcastMember>) : [except as BroadcastMember];
}

function connectionOf(context: OperationContext, name: string, member: BroadcastMember): Connection {
  const socket: unknown = (member as { readonly socket?: unknown } | null)?.socket ?? member;
  if (socket instanceof Connection) return socket;
  throw optionInvalid(context, `${name} must hold connections of this package, also framed ones, and nothing else`);
}

function encoded(message: unknown, codec: Codec<unknown, unknown>, context: OperationContext): readonly Uint8Array[] {
  const writer = new ByteWriter();
  try {
    codec.encode(message, writer);
  } catch (error) {
    throw codecFailure(error, context);
  }
  return writer.take().chunks;
}

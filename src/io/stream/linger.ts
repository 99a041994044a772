/**
 * Closing so that the last answer arrives (docs/semantics.md, rule A2; RFC 9293 section 3.6.1 explains why a plain close
 * destroys it).
 */

import { TimeoutError } from "../../core/errors.ts";
import type { OperationContext } from "../operation/deadline.ts";
import type { Inbound } from "./inbound.ts";
import type { Clock, Timer } from "../network/network.ts";
import type { Outbound } from "./outbound.ts";
import type { CloseOptions } from "./end.ts";

/** Longest time in which nothing comes from the peer, nor its FIN. */
const DEFAULT_LINGER_MS = 2000;
/**
 * Longest time in which the kernel takes nothing. Longer, because it asks for more only when a third of its buffer is free:
 * on loopback, measured, when the peer has read 2 MB.
 */
const DEFAULT_FLUSH_MS = 10_000;
/** Longest time in all: who takes a byte now and then must not hold a connection for ever. */
const DEFAULT_MAX_LINGER_MS = 300_000;
const DEFAULT_LINGER_BYTES = 1_048_576;
/** The kernel tells within so many turns of the event loop that it has a FIN, unless TLS holds it back. */
const FIN_TURNS = 8;
/** The end of progress is noticed at most this fraction later than promised. */
const CHECKS = 4;

/**
 * Sends what was accepted, then FIN, then discards input until the peer's FIN. Rejects when accepted bytes did not reach
 * the kernel; resolves when they did, however the peer behaves afterwards. Both steps go on as long as something moves. The
 * caller then releases the socket.
 */
export async function linger(
  clock: Clock,
  inbound: Inbound,
  outbound: Outbound,
  options: CloseOptions,
  context: OperationContext,
): Promise<void> {
  const { maxLingerMs = DEFAULT_MAX_LINGER_MS, lingerBytes = DEFAULT_LINGER_BYTES } = options;
  const { lingerMs: flushMs = DEFAULT_FLUSH_MS, lingerMs = DEFAULT_LINGER_MS } = options;
  const endsAt = clock.now() + maxLingerMs;
  const drained = new Promise<void>((resolve) => {
    inbound.discard(lingerBytes, () => resolve());
  });
  const flushed = await whileMoving(clock, outbound.end(), flushMs, endsAt, () => outbound.progress);
  if (!flushed) {
    const reason =
      clock.now() < endsAt ? `the peer took nothing for lingerMs (${flushMs})` : `maxLingerMs (${maxLingerMs}) is over`;
    const detail = `what was written could not be handed to the kernel: ${reason}`;
    throw new TimeoutError("TIMEOUT", { ...context, detail, outcome: "unknown" });
  }
  await whileMoving(clock, drained, lingerMs, endsAt, () => inbound.bytesReceived);
}

/** Waits for `work` until `endsAt`, and no longer than `stallMs` in which `progress` does not change; answers whether it is done. */
export function whileMoving(
  clock: Clock,
  work: Promise<void>,
  stallMs: number,
  endsAt: number,
  progress: () => number,
): Promise<boolean> {
  return new Promise((resolve, reject) => {
    let seen = progress();
    let movedAt = clock.now();
    const wait = (restMs: number): Timer => clock.setTimer(check, Math.min(stallMs / CHECKS, restMs));
    const check = (): void => {
      const now = clock.now();
      const current = progress();
      if (current !== seen) movedAt = now;
      seen = current;
      const restMs = Math.min(movedAt + stallMs, endsAt) - now;
      if (restMs > 0) timer = wait(restMs);
      else resolve(false);
    };
    let timer = wait(endsAt - movedAt);
    void work.then(() => resolve(true), reject).finally(() => timer.cancel());
  });
}

/** A connection whose closing may have to end. */
interface Closing {
  readonly inbound: Inbound;
  readonly outbound: Outbound;
  readonly closed: Promise<unknown>;
  abort(reason?: unknown): void;
}

/**
 * Ends a connection whose time is over: waits neither for its peer nor for any time. One that is being closed, and has handed
 * everything over, ends in order; any other is aborted. Answers whether it was in order.
 */
export async function endNow(clock: Clock, connection: Closing, reason?: unknown): Promise<boolean> {
  const { inbound, outbound, closed } = connection;
  const handedOver = outbound.state === "ended" || (outbound.state === "ending" && !outbound.busy);
  const inOrder = handedOver && inbound.stopDiscarding();
  if (inOrder) await Promise.race([closed, turns(clock, FIN_TURNS)]);
  connection.abort(reason);
  return inOrder;
}

/** So many turns of the event loop. */
export async function turns(clock: Clock, count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise<void>((resolve) => clock.defer(resolve));
}

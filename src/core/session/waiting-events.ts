/** What happens to events for which there is no room, and how many may wait for it (docs/semantics.md, rule D2). */

import type { OverflowPolicy } from "../options/check-options.ts";

/** How much may wait in a queue of events. */
export interface WaitingBounds {
  /** Most events. */
  readonly maxEvents: number;
  /** Most memory that they pin, in bytes. */
  readonly maxBytes: number;
}

/**
 * For events for which nobody waits: those of `broadcast`, and all of a policy that drops. It is a reserve for a few seconds
 * behind the replay buffer, which holds 16 times as many; a server has as many reserves as it has sessions.
 */
export const POSTED_BOUNDS: WaitingBounds = { maxEvents: 1024, maxBytes: 1_048_576 };

/** For events that somebody could await: a program that does not must be told, and not fill the memory. */
export const AWAITED_BOUNDS: WaitingBounds = { maxEvents: 65_536, maxBytes: 16_777_216 };

/** What {@link makeRoom} asks a queue of events. */
export interface EventQueue {
  /** Events that wait. */
  readonly size: number;
  /** Memory that they pin, in bytes. */
  readonly bytes: number;
  /** Drops the event that has waited for the longest time. */
  dropOldest(): void;
}

const ALL_FIT = (): boolean => true;

/**
 * Whether an event of so many bytes may be put into a queue. Under `drop-oldest` others make room for it, unless there would
 * be none without any of them.
 *
 * @param mayHold - Whether whoever has the queue may hold so many bytes more than now.
 */
export function makeRoom(
  queue: EventQueue,
  bounds: WaitingBounds,
  policy: OverflowPolicy,
  bytes: number,
  mayHold: (bytes: number) => boolean = ALL_FIT,
): boolean {
  const { maxEvents, maxBytes } = bounds;
  if (bytes > maxBytes) return false;
  const fits = (): boolean => queue.size < maxEvents && queue.bytes + bytes <= maxBytes && mayHold(bytes);
  if (policy === "drop-oldest" && mayHold(bytes - queue.bytes)) while (queue.size > 0 && !fits()) queue.dropOldest();
  return fits();
}

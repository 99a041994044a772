/** The states of a stream, as tables. Only what follows from them changes the state. */

import type { StateTable } from "../../../core/state-table.ts";

/**
 * - `idle`: it waits for room to be opened, or was just made.
 * - `accepted`: the peer has opened it, and its handler has not started.
 * - `open`: items go, in the directions that have not ended.
 * - `left`: its handler has left the loop over the items, and has not finished.
 * - `over`: both directions have ended.
 * - `failed`: it came to an end before, for a reason that those who wait are told.
 * - `aborted`: this side has given it up: its loops end without an error.
 */
export type StreamState = "idle" | "accepted" | "open" | "left" | "over" | "failed" | "aborted";

/** What can happen to a stream. */
export type StreamInput = "accept" | "open" | "leave" | "finish" | "fail" | "abort";

export const STREAM_TABLE: StateTable<StreamState, StreamInput> = {
  idle: { accept: "accepted", open: "open", fail: "failed", abort: "aborted" },
  accepted: { open: "open", fail: "failed", abort: "aborted" },
  open: { leave: "left", finish: "over", fail: "failed", abort: "aborted" },
  left: { finish: "over", fail: "failed", abort: "aborted" },
  over: { fail: "failed", abort: "aborted" },
  failed: { abort: "aborted" },
  aborted: {},
};

/**
 * - `open`: items are added: by this side's `send`, or by the peer.
 * - `draining`: none is added any more; those that are there are still sent, or read.
 * - `ended`: the last one and the end behind it were sent, or read.
 */
export type DirectionState = "open" | "draining" | "ended";

/** What can happen to a direction: its sender ends it; it has no items; the stream fails and they are not sent. */
export type DirectionInput = "end" | "empty" | "drop";

export const DIRECTION_TABLE: StateTable<DirectionState, DirectionInput> = {
  open: { end: "draining", drop: "ended" },
  draining: { empty: "ended", drop: "ended" },
  ended: {},
};

/** The state of a direction that follows. */
export function directed(state: DirectionState, input: DirectionInput): DirectionState {
  return DIRECTION_TABLE[state][input] ?? state;
}

/** A fault that may act on one direction of a connection: what its trigger has seen, and what it makes of the direction. */

import { addToLink } from "../core/faults/conditions.ts";
import { NO_STREAM_FAULTS, type StreamConditions, withStreamFault } from "../core/faults/stream-fault.ts";
import { isStreamFault, matchBytes, type ProxyFault } from "./fault.ts";
import type { BoardFault } from "./fault-board.ts";

/** A fault that is about this direction, and what its trigger has seen. */
export interface Candidate {
  readonly fault: ProxyFault;
  readonly board: BoardFault;
  readonly wanted: Buffer | undefined;
  /** The last bytes, in which what is wanted may begin. */
  tail: Buffer;
  matched: boolean;
}

/** A fault whose trigger has seen nothing yet. */
export function candidateOf(board: BoardFault): Candidate {
  const { match: wanted } = board.fault.when ?? {};
  return {
    fault: board.fault,
    board,
    wanted: wanted === undefined ? undefined : matchBytes(wanted),
    tail: Buffer.alloc(0),
    matched: wanted === undefined,
  };
}

/** Looks for what a trigger waits for, also where it begins in one chunk and ends in another. */
export function match(candidate: Candidate, chunk: Buffer): void {
  const { wanted } = candidate;
  if (candidate.matched || wanted === undefined) return;
  const text = Buffer.concat([candidate.tail, chunk]);
  candidate.matched = text.includes(wanted);
  candidate.tail = Buffer.from(text.subarray(Math.max(0, text.length - wanted.length + 1)));
}

/** Nothing passes while it acts. Of packets that are all lost, none does. */
export function isSilence(fault: ProxyFault): boolean {
  if (fault.kind === "loss") return fault.chance >= 1;
  return fault.kind === "partition" || fault.kind === "partition-one-way" || fault.kind === "isolate";
}

/** What faults that act together make of a direction. Silence is no condition. */
export function conditionsOf(acting: readonly Candidate[]): StreamConditions {
  const { queueBytes } = NO_STREAM_FAULTS.link;
  let conditions = NO_STREAM_FAULTS;
  for (const { fault, board } of acting) {
    if (isStreamFault(fault)) conditions = withStreamFault(conditions, fault);
    // A sender waits where a link would lose.
    else if (!isSilence(fault))
      conditions = { ...conditions, link: { ...addToLink(conditions.link, board.link), queueBytes } };
    if (fault.middlebox === true) conditions = { ...conditions, middlebox: true };
  }
  return conditions;
}

/** What may not have done its work when a session is lost (docs/semantics.md, rule D1). */

import {
  CALL,
  CALL_HEAD_BYTES,
  CANCEL,
  END,
  ERROR,
  EVENT,
  EVENT_HEAD_BYTES,
  HEAD_BYTES,
  ITEM,
  OPEN,
  RESULT,
} from "./wire/frame-types.ts";
import type { ReplayLog } from "./replay-log.ts";
import { isRequest } from "./departure.ts";
import type { Lost } from "./event.ts";
import type { Requests } from "./requests.ts";

export const MESSAGE_KINDS: Readonly<Record<number, Lost["kind"]>> = {
  [EVENT]: "event",
  [CALL]: "call",
  [RESULT]: "result",
  [ERROR]: "error",
  [CANCEL]: "cancel",
  [OPEN]: "open",
  [ITEM]: "item",
  [END]: "end",
};

/** Which messages to report, and as what. */
export interface LossScope {
  /** Messages above this number cannot have reached the peer. */
  readonly reached: number;
  /** Requests above this number were reported before. */
  readonly reportedAbove: number;
}

/** Every message that is not acknowledged, and every call and stream of this side that was and is not finished. */
export function lossesOf(log: ReplayLog, requests: Requests, scope: LossScope): readonly Lost[] {
  const losses: Lost[] = [];
  for (let number = log.acknowledged + 1; number <= log.last; number += 1) {
    const { bytes, at } = log.frame(number);
    const type = bytes[at + 4] as number;
    if (number > scope.reportedAbove && isRequest(type)) continue;
    losses.push(lossOf(bytes, at, number > scope.reached ? "not-sent" : "unknown"));
  }
  for (const { id, number, method } of requests.calls.values()) {
    if (number <= log.acknowledged) losses.push({ type: "lost", kind: "call", id, method, outcome: "unknown" });
  }
  for (const { id, own, number, method } of requests.streams.values()) {
    if (own && number <= log.acknowledged) losses.push({ type: "lost", kind: "open", id, method, outcome: "unknown" });
  }
  return losses;
}

/** The requests above `number`, which a peer that leaves does not accept any more (rule D8). */
export function refusedRequests(log: ReplayLog, number: number): readonly Lost[] {
  const losses: Lost[] = [];
  for (let next = Math.max(number, log.acknowledged) + 1; next <= log.last; next += 1) {
    const { bytes, at } = log.frame(next);
    if (isRequest(bytes[at + 4] as number)) losses.push(lossOf(bytes, at, "not-sent"));
  }
  return losses;
}

function lossOf(bytes: Buffer, at: number, outcome: Lost["outcome"]): Lost {
  const type = bytes[at + 4] as number;
  const kind = MESSAGE_KINDS[type] as Lost["kind"];
  const fields = at + HEAD_BYTES;
  const end = at + 4 + bytes.readUInt32BE(at);
  const bodyAt = (start: number): Lost["body"] => (outcome === "not-sent" ? { bytes, start, end } : undefined);
  if (type === EVENT) {
    const body = bodyAt(at + EVENT_HEAD_BYTES);
    return { type: "lost", kind, id: 0, method: bytes.readUInt16BE(fields), outcome, body };
  }
  const method = type === CALL || type === OPEN ? bytes.readUInt16BE(fields + 4) : -1;
  const body = type === CALL ? bodyAt(at + CALL_HEAD_BYTES) : undefined;
  return { type: "lost", kind, id: bytes.readUInt32BE(fields), method, outcome, body };
}

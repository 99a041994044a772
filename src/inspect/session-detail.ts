/** Everything about one session, beside its row. */

import { MESSAGE_KINDS } from "../core/session/losses.ts";
import { HEAD_BYTES } from "../core/session/wire/frame-types.ts";
import type { ReplayLog } from "../core/session/replay-log.ts";
import type { SessionEndpoint } from "../io/session/endpoint/endpoint.ts";
import { partsOf, type SessionFacade } from "../io/session/endpoint/session.ts";
import type { Listed } from "./registry.ts";
import type { Sources } from "./sources.ts";
import type { CallRow, MessageRow, SessionDetail, StreamRow, UnderWay } from "./wire.ts";

/** The most calls, streams and messages that one answer names; all are counted. */
const MOST_NAMED = 100;
/** What is shown of a message, if payloads are. */
const SHOWN_BYTES = 64;

/** All that there is to say. */
export function sessionDetail(listed: Listed<SessionFacade>, sources: Sources): SessionDetail {
  const { registry, rows, errors, payloads } = sources;
  const { endpoint } = partsOf(listed.object);
  const { machine, terms, settings } = endpoint;
  const { name, version } = settings.plan.contract;
  const { codec, peerVersion } = terms.agreement;
  const { waitingRequests = 0, waitingMessages = 0 } = endpoint.handling?.underWay ?? {};
  const log = machine.unacknowledgedLog;
  const remote = listed.object.remoteAddress;
  return {
    ...rows.session(listed),
    contract: `${name} ${version}`,
    peerVersion,
    codec,
    connection: registry.idOf(endpoint.connection),
    calls: callsOf(endpoint, registry.clock.now()),
    streams: streamsOf(endpoint),
    credit: machine.laneCredit,
    queues: { waitingMessages, waitingRequests },
    replay: {
      messages: log.count,
      retainedBytes: log.retainedBytes,
      pinnedBytes: log.pinnedBytes,
      oldest: messagesOf(log, payloads),
    },
    lastErrors: remote === undefined ? [] : errors.of(String(remote)),
  };
}

/** The calls that are not answered: those of this side, and those of the peer. */
export function callsOf({ machine, handling, terms }: SessionEndpoint, now: number): UnderWay<CallRow> {
  const own = machine.underWay?.calls;
  const foreign = machine.underWay?.foreignCalls;
  const underWay = handling?.underWay;
  return {
    own: own?.size ?? 0,
    peer: foreign?.size ?? 0,
    list: [
      ...first(own, ([id, { method, deadline }]): CallRow => {
        const timeoutMs = underWay?.calls.get(id)?.timeoutMs ?? Infinity;
        const ageMs = Number.isFinite(timeoutMs) ? Math.round(timeoutMs - (deadline - now)) : undefined;
        return { id, from: "here", method: terms.agreement.peerOffers[method], ageMs, ...remaining(deadline, now) };
      }),
      ...first(foreign, ([id, { deadline }]): CallRow => {
        // One that waits has no handler yet.
        const running = underWay?.running.get(id);
        return {
          id,
          from: "peer",
          method: running?.method,
          waiting: running === undefined,
          ...remaining(deadline, now),
        };
      }),
    ],
  };
}

function remaining(deadline: number, now: number): Pick<CallRow, "remainingMs"> {
  return { remainingMs: Number.isFinite(deadline) ? Math.round(deadline - now) : undefined };
}

/** The open streams, with what each side may still send. */
export function streamsOf({ machine, terms, plan }: SessionEndpoint): UnderWay<StreamRow> {
  const streams = machine.underWay?.streams;
  return {
    own: streams?.own ?? 0,
    peer: streams?.foreign ?? 0,
    list: first(streams?.values(), ({ id, own, method, sending, receiving, sendCredit, receiveCredit, blocked }) => ({
      id,
      from: own ? "here" : "peer",
      method: own ? terms.agreement.peerOffers[method] : plan.own.names[method],
      sending,
      receiving,
      blocked,
      sentBytes: sendCredit.sent,
      freeBytes: Math.max(0, sendCredit.limit - sendCredit.sent),
      waitingBytes: receiveCredit.heldBytes,
    })),
  };
}

/** The oldest messages that the peer has not acknowledged. */
function messagesOf(log: ReplayLog, payloads: boolean): readonly MessageRow[] {
  const found: MessageRow[] = [];
  const last = Math.min(log.last, log.acknowledged + MOST_NAMED);
  for (let number = log.acknowledged + 1; number <= last; number += 1) {
    const { bytes, at } = log.frame(number);
    const length = bytes.readUInt32BE(at) + HEAD_BYTES - 1;
    const shown = bytes.subarray(at + HEAD_BYTES, at + Math.min(length, HEAD_BYTES + SHOWN_BYTES));
    const payload = payloads ? shown.toString("hex") : undefined;
    found.push({ number, kind: MESSAGE_KINDS[bytes[at + HEAD_BYTES - 1] as number], bytes: length, payload });
  }
  return found;
}

function first<T, R>(items: Iterable<T> | undefined, describe: (item: T) => R): readonly R[] {
  const found: R[] = [];
  for (const item of items ?? []) {
    if (found.length === MOST_NAMED) break;
    found.push(describe(item));
  }
  return found;
}

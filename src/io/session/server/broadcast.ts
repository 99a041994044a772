/** An event to many sessions: to those of this server, or with a journal to those of all servers. */

import type { Methods } from "../../../core/contract/contract.ts";
import { checkOptions, type RulesOf } from "../../../core/options/check-options.ts";
import { MAX_EXCEPT, MAX_ID } from "../../../core/journal/shared-message.ts";
import type { BodyPlace } from "../../../core/session/outgoing.ts";
import { partsOf } from "../endpoint/session.ts";
import type { SessionCodec } from "../../contract/format.ts";
import { remoteObject } from "../../contract/handlers.ts";
import type { ContractPlan, MethodPlan } from "../../contract/plan.ts";
import type { EndpointSettings } from "../settings.ts";
import type { BroadcastReport, SessionBroadcastOptions } from "../audience.ts";
import type { SharedLog } from "../shared/log.ts";
import type { SessionTopics } from "../shared/topics.ts";
import { currentMessage } from "./handled-message.ts";

/** The server that says it. */
export interface Broadcaster {
  readonly instance: string;
  readonly topics: SessionTopics;
  /** With a journal: what is said goes to the sessions of all servers. */
  readonly log: SharedLog | undefined;
  readonly settings: Pick<EndpointSettings, "codecs">;
}

/** The events of the clients, as functions that send one to all who hear a topic. */
export function broadcasts(owner: Broadcaster, topic: string): object {
  const offered: Methods = owner.topics.plan.peer;
  const names = Object.keys(offered).filter((name) => offered[name]?.kind === "event");
  return remoteObject(
    names.map((name) => ({ name })),
    ({ name }) =>
      (message, options) => {
        const said: Said = { topic, name, message, except: exceptOf(name, options) };
        return owner.log === undefined ? sendAll(owner, said) : share(owner, owner.log, said);
      },
  );
}

/** What is said to whom. */
interface Said {
  readonly topic: string;
  readonly name: string;
  readonly message: unknown;
  /** The ids of sessions that do not hear it. */
  readonly except: readonly string[];
}

const BROADCAST_RULES: RulesOf<SessionBroadcastOptions> = {
  except: {
    wanted: `a session, or a list of at most ${MAX_EXCEPT} sessions`,
    holds: (except) => {
      const ids = idsOf(except);
      return ids.length <= MAX_EXCEPT && ids.every((id) => typeof id === "string" && id.length <= MAX_ID);
    },
  },
};

function exceptOf(op: string, options: SessionBroadcastOptions | undefined): readonly string[] {
  if (options === undefined) return [];
  const { except } = checkOptions({ op }, options, BROADCAST_RULES);
  return except === undefined ? [] : idsOf(except);
}

function idsOf(except: unknown): readonly string[] {
  const isSeveral = typeof except === "object" && except !== null && Symbol.iterator in except;
  const sessions = isSeveral
    ? (except as Iterable<{ readonly id: string } | null>)
    : [except as { readonly id: string }];
  return Array.from(sessions, (session) => session?.id as string);
}

/** Says an event once for the sessions of all servers. */
function share(
  { topics, settings }: Broadcaster,
  log: SharedLog,
  { topic, name, message, except }: Said,
): BroadcastReport {
  const codec = settings.codecs[0] as SessionCodec;
  const { method, body } = encode(topics.plan, codec, name, message);
  const { bytes, start, end } = body;
  const said = { codec, method: name, body: bytes.subarray(start, end), except };
  if (method.volatile) {
    log.tell(topic, said);
    return { sent: 0, waiting: topics.count(topic), dropped: 0 };
  }
  const handled = currentMessage();
  const isOwn = handled !== undefined && topics.has(handled.session);
  const by = isOwn ? { session: handled.session, key: handled.nextKey() } : undefined;
  const stored = log.say(topic, said, by);
  return { sent: 0, waiting: topics.count(topic), dropped: 0, stored };
}

/** Sends an event to the sessions of this server; it is encoded once for each codec that they use. */
function sendAll({ topics, settings }: Broadcaster, said: Said): BroadcastReport {
  const { topic, except } = said;
  const report = { sent: 0, waiting: 0, dropped: 0 };
  const encoded = encodedFor(topics, settings.codecs[0] as SessionCodec, said);
  const deaf = new Set(except);
  for (const session of topics.members(topic)) {
    const { endpoint } = partsOf(session);
    if (endpoint.isOver || deaf.has(session.id)) continue;
    const one = encoded.get(endpoint.terms.agreement.codec);
    const fate = one === undefined ? "dropped" : endpoint.events.post(one.method, one.body);
    if (fate === "sent") report.sent += 1;
    else if (fate === "waits") report.waiting += 1;
    else report.dropped += 1;
  }
  return report;
}

/** A message in one codec. */
interface Encoded {
  readonly method: MethodPlan;
  readonly body: BodyPlace;
}

/**
 * The message in each codec that the sessions use, before it is sent to any of them. What one of the codecs cannot carry is
 * missing: a client chooses its codec, and must not be able to keep an event from the others. What the server's favourite
 * cannot carry, or its schema does not allow, is an error of the caller.
 */
function encodedFor(
  topics: SessionTopics,
  favourite: SessionCodec,
  { topic, name, message }: Said,
): ReadonlyMap<string, Encoded> {
  const encoded = new Map<string, Encoded>();
  const failed = new Set<string>();
  for (const session of topics.members(topic)) {
    const { codec } = partsOf(session).endpoint.terms.agreement;
    if (encoded.has(codec) || failed.has(codec)) continue;
    try {
      encoded.set(codec, encode(topics.plan, codec as SessionCodec, name, message));
    } catch {
      failed.add(codec);
      encode(topics.plan, favourite, name, message);
    }
  }
  return encoded;
}

function encode(plan: ContractPlan, codec: SessionCodec, name: string, message: unknown): Encoded {
  const method = plan.of(codec).peer.methods.find((each) => each.name === name) as MethodPlan;
  const { bytes, start, end } = method.request.encode(message);
  return { method, body: { bytes: Buffer.from(bytes.subarray(start, end)), start: 0, end: end - start } };
}

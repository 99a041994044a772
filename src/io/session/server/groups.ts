/** Messages to many sessions: to those of a group, of a principal, to one by its id, or to all. */

import { showAs } from "../../../core/show-as.ts";
import type { Methods } from "../../../core/contract/contract.ts";
import { UsageError } from "../../../core/errors.ts";
import { checkOptions, MILLISECONDS, type RulesOf } from "../../../core/options/check-options.ts";
import type { BodyPlace } from "../../../core/session/outgoing.ts";
import { partsOf, type SessionFacade } from "../endpoint/session.ts";
import type { SessionCodec } from "../../contract/format.ts";
import { remoteObject, unbound } from "../../contract/handlers.ts";
import type { ContractPlan, MethodPlan } from "../../contract/plan.ts";
import type { EndpointSettings } from "../settings.ts";
import type { AudienceCount, AudienceMembers, MembersOptions } from "../audience.ts";
import type { SharedLog } from "../shared/log.ts";
import { membersHere } from "../shared/presence.ts";
import { groupTopic, type SessionTopics } from "../shared/topics.ts";
import { currentMessage } from "./handled-message.ts";
import type { BroadcastReport, SessionBroadcastOptions } from "./public.ts";

/** How long servers are waited for, unless the program says otherwise. */
const ASK_MS = 1_000;
const MEMBERS_RULES: RulesOf<MembersOptions> = { timeoutMs: MILLISECONDS };

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
    wanted: "a session, or a list of sessions",
    holds: (except) => idsOf(except).every((id) => typeof id === "string"),
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
  for (const session of topics.members(topic)) {
    const { endpoint } = partsOf(session);
    if (endpoint.isOver || except.includes(session.id)) continue;
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

/** Those who hear a topic; nothing else is kept here, so it can be made as often as it is asked for. */
export class SessionAudience implements Iterable<SessionFacade> {
  readonly name: string;
  readonly #owner: Broadcaster;
  readonly #topic: string;
  #remote: object | undefined;

  constructor(owner: Broadcaster, op: string, name: string, topicOf: (name: string) => string) {
    // Two objects that look the same would be two groups.
    if (typeof name !== "string")
      throw new UsageError("OPTION_INVALID", { op, detail: `name must be a string, not ${typeof name}` });
    this.name = name;
    this.#owner = owner;
    this.#topic = topicOf(name);
  }

  get remote(): object {
    this.#remote ??= broadcasts(this.#owner, this.#topic);
    return this.#remote;
  }
  get size(): number {
    return this.#owner.topics.count(this.#topic);
  }

  count(): AudienceCount {
    if (!(#owner in Object(this))) throw unbound("group", "count");
    return this.#owner.log?.presence.count(this.#topic) ?? { size: this.size, ageMs: 0 };
  }

  async members(options: MembersOptions = {}): Promise<AudienceMembers> {
    if (!(#owner in Object(this))) throw unbound("group", "members");
    const { timeoutMs = ASK_MS } = checkOptions({ op: "members" }, options, MEMBERS_RULES);
    const { log } = this.#owner;
    return log === undefined
      ? membersHere(this.#owner, this.#topic).answer
      : await log.presence.members(this.#topic, timeoutMs);
  }

  has(session: SessionFacade): boolean {
    if (!(#owner in Object(this))) throw unbound("group", "has");
    return this.#owner.topics.since(this.#topic, session) !== undefined;
  }

  [Symbol.iterator](): Iterator<SessionFacade> {
    return this.#owner.topics.members(this.#topic)[Symbol.iterator]();
  }
}

/** One group, by its name. */
export class SessionGroup extends SessionAudience {
  readonly #owner: Broadcaster;

  constructor(owner: Broadcaster, name: string) {
    super(owner, "group", name, groupTopic);
    this.#owner = owner;
  }

  join(session: SessionFacade): boolean {
    if (!(#owner in Object(this))) throw unbound("group", "join");
    const { topics, log } = this.#owner;
    return topics.join(this.name, session, log?.place ?? 0) && changed(session);
  }

  leave(session: SessionFacade): boolean {
    if (!(#owner in Object(this))) throw unbound("group", "leave");
    return this.#owner.topics.leave(this.name, session) && changed(session);
  }
}

/** The journal, if there is one, keeps that. */
function changed(session: SessionFacade): true {
  const parts = partsOf(session);
  parts.changes += 1;
  parts.endpoint.touch();
  return true;
}
showAs(SessionAudience, "SessionAudience", ({ name, size }) => ({ name, size }));
showAs(SessionGroup, "SessionGroup", ({ name, size }) => ({ name, size }));

/** Some sessions by name, and messages to many of them. */

import { showAs } from "../../../core/show-as.ts";
import type { Methods } from "../../../core/contract/contract.ts";
import { UsageError } from "../../../core/errors.ts";
import type { BodyPlace } from "../../../core/session/outgoing.ts";
import { partsOf, SessionFacade } from "../endpoint/session.ts";
import type { SessionCodec } from "../../contract/format.ts";
import { remoteObject, unbound } from "../../contract/handlers.ts";
import type { ContractPlan, MethodPlan } from "../../contract/plan.ts";
import type { BroadcastReport } from "./public.ts";

/** A set of sessions, or a map. */
type Sessions = ReadonlySet<SessionFacade> | ReadonlyMap<string, SessionFacade>;

/** The events of the clients, as functions that send one to all of `sessions()`. */
export function broadcasts(plan: ContractPlan, sessions: () => Sessions): object {
  const offered: Methods = plan.peer;
  const names = Object.keys(offered).filter((name) => offered[name]?.kind === "event");
  return remoteObject(
    names.map((name) => ({ name })),
    ({ name }) =>
      (message) =>
        broadcast(plan, sessions(), name, message),
  );
}

/** Sends an event to sessions; it is encoded once for each codec that they use. */
function broadcast(plan: ContractPlan, sessions: Sessions, name: string, message: unknown): BroadcastReport {
  const report = { sent: 0, waiting: 0, dropped: 0 };
  const encoded = encodedFor(plan, sessions, name, message);
  for (const session of sessions.values()) {
    const { endpoint } = partsOf(session);
    if (endpoint.isOver) continue;
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
  plan: ContractPlan,
  sessions: Sessions,
  name: string,
  message: unknown,
): ReadonlyMap<string, Encoded> {
  const encoded = new Map<string, Encoded>();
  const failed = new Set<string>();
  for (const session of sessions.values()) {
    const { terms, settings } = partsOf(session).endpoint;
    const { codec } = terms.agreement;
    if (encoded.has(codec) || failed.has(codec)) continue;
    try {
      encoded.set(codec, encode(plan, codec as SessionCodec, name, message));
    } catch {
      failed.add(codec);
      encode(plan, settings.codecs[0] as SessionCodec, name, message);
    }
  }
  return encoded;
}

function encode(plan: ContractPlan, codec: SessionCodec, name: string, message: unknown): Encoded {
  const method = plan.of(codec).peer.methods.find((each) => each.name === name) as MethodPlan;
  const { bytes, start, end } = method.request.encode(message);
  return { method, body: { bytes: Buffer.from(bytes.subarray(start, end)), start: 0, end: end - start } };
}

const NOBODY: ReadonlySet<SessionFacade> = new Set();

/** The groups of a server: the sessions of each, while it has any. */
export class SessionGroups {
  readonly plan: ContractPlan;
  readonly #members: Map<string, Set<SessionFacade>> = new Map();
  /** The groups of each session, so that it leaves them at its end. */
  readonly #memberships: Map<SessionFacade, Set<string>> = new Map();

  constructor(plan: ContractPlan) {
    this.plan = plan;
  }

  /** The sessions of a group. */
  members(name: string): ReadonlySet<SessionFacade> {
    return this.#members.get(name) ?? NOBODY;
  }

  join(name: string, session: SessionFacade): boolean {
    // One of another server would be sent what its contract does not say.
    const isOwn = session instanceof SessionFacade && partsOf(session).endpoint.settings.plan === this.plan;
    if (!isOwn)
      throw new UsageError("OPTION_INVALID", { op: "join", detail: "a group takes only sessions of its own server" });
    if (session.state === "closed") return false;
    return add(this.#members, name, session) && add(this.#memberships, session, name);
  }

  leave(name: string, session: SessionFacade): boolean {
    return remove(this.#members, name, session) && remove(this.#memberships, session, name);
  }

  /** The groups of a session. */
  of(session: SessionFacade): readonly string[] {
    return [...(this.#memberships.get(session) ?? [])];
  }

  /** A session is over. */
  ended(session: SessionFacade): void {
    for (const name of Array.from(this.#memberships.get(session) ?? [])) this.leave(name, session);
  }
}

/** One group, by its name; nothing else is kept here, so it can be made as often as it is asked for. */
export class SessionGroup implements Iterable<SessionFacade> {
  readonly name: string;
  readonly #groups: SessionGroups;
  #remote: object | undefined;

  constructor(groups: SessionGroups, name: string) {
    // Two objects that look the same would be two groups.
    if (typeof name !== "string")
      throw new UsageError("OPTION_INVALID", { op: "group", detail: `name must be a string, not ${typeof name}` });
    this.#groups = groups;
    this.name = name;
  }

  get remote(): object {
    this.#remote ??= broadcasts(this.#groups.plan, () => this.#groups.members(this.name));
    return this.#remote;
  }
  get size(): number {
    return this.#groups.members(this.name).size;
  }

  join(session: SessionFacade): boolean {
    if (!(#groups in Object(this))) throw unbound("group", "join");
    return this.#groups.join(this.name, session);
  }

  leave(session: SessionFacade): boolean {
    if (!(#groups in Object(this))) throw unbound("group", "leave");
    return this.#groups.leave(this.name, session);
  }

  has(session: SessionFacade): boolean {
    if (!(#groups in Object(this))) throw unbound("group", "has");
    return this.#groups.members(this.name).has(session);
  }

  [Symbol.iterator](): Iterator<SessionFacade> {
    return this.#groups.members(this.name)[Symbol.iterator]();
  }
}
showAs(SessionGroup, "SessionGroup", ({ name, size }) => ({ name, size }));

/** Adds to a set in a map, which is made for its first member. False when it is there already. */
function add<Key, Member>(sets: Map<Key, Set<Member>>, key: Key, member: Member): boolean {
  const known = sets.get(key);
  if (known?.has(member) === true) return false;
  if (known === undefined) sets.set(key, new Set([member]));
  else known.add(member);
  return true;
}

/** Removes from a set in a map, and the set with its last member. False when it was not there. */
function remove<Key, Member>(sets: Map<Key, Set<Member>>, key: Key, member: Member): boolean {
  const known = sets.get(key);
  if (known?.delete(member) !== true) return false;
  if (known.size === 0) sets.delete(key);
  return true;
}

/** Some sessions by name, and messages to many of them. */

import type { Methods } from "../core/contract/contract.ts";
import { UsageError } from "../core/errors.ts";
import type { BodyPlace } from "../core/session/outgoing.ts";
import { partsOf, SessionFacade } from "./session-facade.ts";
import type { SessionCodec } from "./session-format.ts";
import type { ContractPlan, MethodPlan } from "./session-plan.ts";
import type { BroadcastReport } from "./session-server.ts";

/** Sends an event to sessions; it is encoded once for each codec that they use. */
export function broadcast(
  plan: ContractPlan,
  sessions: Iterable<SessionFacade>,
  name: string,
  message: unknown,
): BroadcastReport {
  const offered: Methods = plan.peer;
  if (offered[name]?.kind !== "event") {
    const detail = `the contract has no event "${name}" that the client offers`;
    throw new UsageError("OPTION_INVALID", { op: "broadcast", detail });
  }
  const report = { sent: 0, waiting: 0, dropped: 0 };
  const encoded = new Map<string, { readonly method: MethodPlan; readonly body: BodyPlace }>();
  for (const session of sessions) {
    const { endpoint } = partsOf(session);
    const { codec } = endpoint.terms.agreement;
    let one = encoded.get(codec);
    if (one === undefined) {
      const method = plan.of(codec as SessionCodec).peer.methods.find((each) => each.name === name) as MethodPlan;
      const { bytes, start, end } = method.request.encode(message);
      one = { method, body: { bytes: Buffer.from(bytes.subarray(start, end)), start: 0, end: end - start } };
      encoded.set(codec, one);
    }
    const fate = endpoint.events.post(one.method, one.body);
    if (fate === "sent") report.sent += 1;
    else if (fate === "waits") report.waiting += 1;
    else report.dropped += 1;
  }
  return report;
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
      throw new UsageError("OPTION_INVALID", { op: "join", detail: "a group takes the sessions of its server" });
    if (session.state === "closed") return false;
    return add(this.#members, name, session) && add(this.#memberships, session, name);
  }

  leave(name: string, session: SessionFacade): boolean {
    return remove(this.#members, name, session) && remove(this.#memberships, session, name);
  }

  /** A session is over. */
  ended(session: SessionFacade): void {
    for (const name of Array.from(this.#memberships.get(session) ?? [])) this.leave(name, session);
  }
}

/** One group, by its name; nothing else is kept here, so it can be made as often as it is asked for. */
export class ContractGroup implements Iterable<SessionFacade> {
  readonly name: string;
  readonly #groups: SessionGroups;

  constructor(groups: SessionGroups, name: string) {
    this.#groups = groups;
    this.name = name;
  }

  get size(): number {
    return this.#groups.members(this.name).size;
  }

  join(session: SessionFacade): boolean {
    return this.#groups.join(this.name, session);
  }

  leave(session: SessionFacade): boolean {
    return this.#groups.leave(this.name, session);
  }

  has(session: SessionFacade): boolean {
    return this.#groups.members(this.name).has(session);
  }

  broadcast(event: string, message?: unknown): BroadcastReport {
    return broadcast(this.#groups.plan, this.#groups.members(this.name), event, message);
  }

  [Symbol.iterator](): Iterator<SessionFacade> {
    return this.#groups.members(this.name)[Symbol.iterator]();
  }
}

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

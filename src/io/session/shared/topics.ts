/** Who hears what: all sessions, one of them, those of a principal, those of a group. */

import { UsageError } from "../../../core/errors.ts";
import type { ContractPlan } from "../../contract/plan.ts";
import { partsOf, SessionFacade } from "../endpoint/session.ts";

/** All sessions. */
export const EVERYBODY = "*";
const SESSION = "s/";
const PRINCIPAL = "u/";
const GROUP = "g/";
/** Of the letters before a name. */
const PREFIX_LENGTH = 2;

export const sessionTopic = (id: string): string => SESSION + id;
export const principalTopic = (name: string): string => PRINCIPAL + name;
export const groupTopic = (name: string): string => GROUP + name;

/** A group that a session is in, and the place in the log of the journal behind which it hears it; 0 without a journal. */
export type Membership = readonly [name: string, since: number];

const NOBODY: ReadonlyMap<SessionFacade, number> = new Map();

/** The sessions of a server by what they hear. */
export class SessionTopics {
  readonly plan: ContractPlan;
  /** Notes topics whose members change, if somebody wants to know. */
  changed: Set<string> | undefined;
  readonly #sessions: ReadonlyMap<string, SessionFacade>;
  /** Of each topic of more than one session, those who hear it, and since which place. */
  readonly #members = new Map<string, Map<SessionFacade, number>>();
  /** The topics of each session, so that it leaves them at its end. */
  readonly #topics = new Map<SessionFacade, Set<string>>();

  constructor(plan: ContractPlan, sessions: ReadonlyMap<string, SessionFacade>) {
    this.plan = plan;
    this.#sessions = sessions;
  }

  /** A session begins: it hears what its principal is told, and what its groups are told. */
  begin(session: SessionFacade, groups: readonly Membership[]): void {
    const { principal, since } = partsOf(session);
    if (principal !== undefined && principal !== session.id) this.#join(principalTopic(principal), session, since);
    for (const [name, from] of groups) this.#join(groupTopic(name), session, from);
  }

  /** Whether a session is one of this server. */
  has(session: SessionFacade): boolean {
    return this.#sessions.get(session.id) === session;
  }

  /** Takes a session into a group; false when it is there already, or over. */
  join(name: string, session: SessionFacade, since: number): boolean {
    // One of another server would be sent what its contract does not say.
    const isOwn = session instanceof SessionFacade && partsOf(session).endpoint.settings.plan === this.plan;
    if (!isOwn)
      throw new UsageError("OPTION_INVALID", { op: "join", detail: "a group takes only sessions of its own server" });
    return session.state !== "closed" && this.#join(groupTopic(name), session, since);
  }

  leave(name: string, session: SessionFacade): boolean {
    return this.#leave(groupTopic(name), session);
  }

  /** The groups of a session. */
  groupsOf(session: SessionFacade): readonly Membership[] {
    const topics = [...(this.#topics.get(session) ?? [])].filter((topic) => topic.startsWith(GROUP));
    return topics.map((topic) => [topic.slice(PREFIX_LENGTH), this.#members.get(topic)?.get(session) ?? 0]);
  }

  /** A session is over. */
  ended(session: SessionFacade): void {
    for (const topic of Array.from(this.#topics.get(session) ?? [])) this.#leave(topic, session);
  }

  /** The sessions that hear a topic now. */
  members(topic: string): Iterable<SessionFacade> {
    if (topic === EVERYBODY) return this.#sessions.values();
    const one = this.#oneOf(topic);
    return one === undefined ? (this.#members.get(topic) ?? NOBODY).keys() : [one];
  }

  /** How many these are. */
  count(topic: string): number {
    if (topic === EVERYBODY) return this.#sessions.size;
    return this.#oneOf(topic) === undefined ? (this.#members.get(topic)?.size ?? 0) : 1;
  }

  /** The topics of more than one session that somebody hears. */
  names(): Iterable<string> {
    return this.#members.keys();
  }

  /** The place behind which a session hears a topic; undefined when it does not. */
  since(topic: string, session: SessionFacade): number | undefined {
    if (topic === EVERYBODY || this.#oneOf(topic) === session) return partsOf(session).since;
    return this.#members.get(topic)?.get(session);
  }

  /** The session that alone hears a topic: by its id, or as one whose principal nobody asked for. */
  #oneOf(topic: string): SessionFacade | undefined {
    const isOne = topic.startsWith(SESSION) || (topic.startsWith(PRINCIPAL) && !this.#members.has(topic));
    return isOne ? this.#sessions.get(topic.slice(PREFIX_LENGTH)) : undefined;
  }

  #join(topic: string, session: SessionFacade, since: number): boolean {
    const members = this.#members.get(topic) ?? new Map<SessionFacade, number>();
    if (members.has(session)) return false;
    this.#members.set(topic, members.set(session, since));
    const topics = this.#topics.get(session) ?? new Set();
    this.#topics.set(session, topics.add(topic));
    this.changed?.add(topic);
    return true;
  }

  #leave(topic: string, session: SessionFacade): boolean {
    const members = this.#members.get(topic);
    if (members?.delete(session) !== true) return false;
    if (members.size === 0) this.#members.delete(topic);
    const topics = this.#topics.get(session);
    topics?.delete(topic);
    if (topics?.size === 0) this.#topics.delete(session);
    this.changed?.add(topic);
    return true;
  }
}

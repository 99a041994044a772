/** Sessions that hear the same: those of a group, of a principal, or one by its id. */

import { showAs } from "../../../core/show-as.ts";
import { UsageError } from "../../../core/errors.ts";
import { isEncodable } from "../../../core/bytes/utf8.ts";
import { checkOptions, MILLISECONDS, type RulesOf } from "../../../core/options/check-options.ts";
import { partsOf, type SessionFacade } from "../endpoint/session.ts";
import { unbound } from "../../contract/handlers.ts";
import type { AudienceCount, AudienceMembers, MembersOptions } from "../audience.ts";
import { membersHere } from "../shared/presence.ts";
import { groupTopic } from "../shared/topics.ts";
import { type Broadcaster, broadcasts } from "./broadcast.ts";

/** How long servers are waited for, unless the program says otherwise. */
const ASK_MS = 1_000;
const MEMBERS_RULES: RulesOf<MembersOptions> = { timeoutMs: MILLISECONDS };

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
    // Journals keep names in UTF-8, and a name may be what a client has said.
    if (!isEncodable(name))
      throw new UsageError("OPTION_INVALID", { op, detail: "name has half of a surrogate pair, which has no UTF-8" });
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

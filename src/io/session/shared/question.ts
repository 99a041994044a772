/** One question to all servers: who hears a topic. */

import type { AudienceMember, AudienceMembers } from "../audience.ts";
import type { FoundMember } from "../../../core/journal/presence-message.ts";

/** More are left out, and then the server that they belong to has not answered whole. */
const MAX_MEMBERS = 10_000;

/** Gathers answers until all servers that were asked have answered. */
export class MembersQuestion {
  readonly #members: AudienceMember[] = [];
  /** Of each server that was asked: how many of its sessions have come. */
  readonly #come: Map<string, number>;
  readonly #whole = new Set<string>();

  constructor(servers: readonly string[]) {
    this.#come = new Map(servers.map((server) => [server, 0]));
  }

  /** Whether nobody is waited for. */
  get isAnswered(): boolean {
    return this.#whole.size === this.#come.size;
  }

  get answer(): AudienceMembers {
    return { members: this.#members, asked: this.#come.size, answered: this.#whole.size };
  }

  /** A part of the answer of a server; one that nobody knew yet answers too. `total`: of the whole answer. */
  add(server: string, members: readonly FoundMember[], total: number): void {
    const come = (this.#come.get(server) ?? 0) + members.length;
    this.#come.set(server, come);
    for (const [id, principal, attached] of members) {
      if (this.#members.length === MAX_MEMBERS) return;
      this.#members.push({ id, principal, server, attached });
    }
    if (come === total) this.#whole.add(server);
  }
}

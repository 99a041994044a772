/** What can be asked about the sessions of all servers. */

/** How many sessions there are at all servers of a journal, as they have said last. */
export interface AudienceCount {
  /** Sessions, those without a connection included. */
  readonly size: number;
  /**
   * How old the oldest part of it is, in milliseconds: each server says once a second what has changed. 0 without a journal. Infinity when
   * a part is not known, so that `size` may be too low: a server was not heard yet, or there is too much to be said.
   */
  readonly ageMs: number;
}

/** One session, at any server. */
export interface AudienceMember {
  /** The id of the session. */
  readonly id: string;
  /** Whose it is, as `authenticate` has named it; otherwise the id. */
  readonly principal: string;
  /** The `instance` of the server where it is. */
  readonly server: string;
  /** Whether it has a connection now. */
  readonly attached: boolean;
}

/** What servers have answered. */
export interface AudienceMembers {
  /** Sessions of the servers that have answered; at most 10,000. */
  readonly members: readonly AudienceMember[];
  /** Servers that were asked: this one, and those that were heard in the last 3 seconds. */
  readonly asked: number;
  /** Servers whose answer is whole. When all that were asked have answered, no session is missing. */
  readonly answered: number;
}

/** Options of `SessionAudience.members`. */
export interface MembersOptions {
  /** How long it waits for the servers, in milliseconds. Default: 1,000: a server answers at once, unless it is busy or dead. */
  readonly timeoutMs?: number | undefined;
}

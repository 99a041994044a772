/** Where a server takes clients in: from the connection to the session. */

import { isForCaller } from "../../../core/contract/remote-error.ts";
import { ConnectionError, UsageError, ZocaloError } from "../../../core/errors.ts";
import type { FreshReason, Hello, Refusal, ResumeRequest, Welcome } from "../../../core/handshake/hello.ts";
import {
  type Agreement,
  agreeWithClient,
  type Capabilities,
  MOVES_FEATURE,
} from "../../../core/handshake/negotiate.ts";
import type { Random } from "../../network/network.ts";
import type { StreamSocket } from "../../stream/socket.ts";
import { endNow } from "../../stream/linger.ts";
import { partsOf, type SessionFacade } from "../endpoint/session.ts";
import type { EndpointSettings } from "../settings.ts";
import type { SharedLog } from "../shared/log.ts";
import { type GreetingOwner, ServerGreeting } from "./greeting.ts";
import type { SessionJournaling, TakenOver } from "./journaling.ts";
import { busy, type Claim, newId, newRecord, newToken, type SessionRegistry } from "./registry.ts";
import type { Admitted, Applicant, SessionServerLimits } from "./options.ts";

const DEFAULT_MAX_UNAUTHENTICATED = 1000;

/** What a server says about who may come in. */
export interface ReceptionOptions {
  readonly limits?: SessionServerLimits | undefined;
  readonly authenticate?: ((applicant: Applicant) => string | undefined | Promise<string | undefined>) | undefined;
  readonly data?: ((admitted: Admitted) => unknown) | undefined;
}

/** What a new session is made of. */
export interface SessionOrder {
  readonly id: string;
  readonly principal: string;
  readonly agreement: Agreement;
  readonly data: unknown;
  readonly addressKey: string | undefined;
  /** Set when it goes on that another server had. */
  readonly taken?: TakenOver;
}

/** The server behind the reception. */
export interface ReceptionOwner {
  readonly instance: string;
  readonly keptMs: number;
  readonly capabilities: Capabilities;
  readonly settings: EndpointSettings;
  readonly registry: SessionRegistry;
  /** Undefined without a journal. */
  readonly journaling: SessionJournaling | undefined;
  readonly log: SharedLog | undefined;
  readonly random: Random;
  /** Why nobody comes in any more; undefined while the server is open. */
  readonly closing: Refusal | undefined;
  create(order: SessionOrder): SessionFacade;
  /** A session that its client never heard of. */
  discard(session: SessionFacade): void;
  /** A connection came to nothing; `error` when it is worth telling. */
  declined(connection: StreamSocket, error: ZocaloError | undefined): void;
  /** `authenticate` or `data` has failed. */
  undecided(connection: StreamSocket, error: unknown): void;
}

/** Somebody at the listener, as far as is known. */
interface Visit {
  readonly greeting: ServerGreeting;
  readonly hello: Hello;
  readonly agreement: Agreement;
  readonly applicant: Applicant;
}

/** Takes clients in. */
export class SessionReception implements GreetingOwner {
  /** Somebody does not wait any more. */
  onAnswered: (() => void) | undefined;
  readonly #owner: ReceptionOwner;
  readonly #options: ReceptionOptions;
  readonly #maxUnauthenticated: number;
  /** Connections that have not introduced themselves yet, the oldest first. */
  readonly #silent: Set<ServerGreeting> = new Set();
  /** Those that have, and wait for the answer. */
  readonly #deciding: Set<ServerGreeting> = new Set();
  /** Those that have their answer, and are being closed; the oldest first. */
  readonly #leaving: Set<ServerGreeting> = new Set();
  /** Since when it is being decided about whom, the longest first: also about those who have gone meanwhile. */
  readonly #decisions: Map<ServerGreeting, number> = new Map();

  constructor(owner: ReceptionOwner, options: ReceptionOptions) {
    this.#owner = owner;
    this.#options = options;
    this.#maxUnauthenticated = options.limits?.maxUnauthenticated ?? DEFAULT_MAX_UNAUTHENTICATED;
  }

  /** Connections in the handshake. */
  get size(): number {
    return this.#silent.size + this.#deciding.size + this.#leaving.size;
  }

  /** Whether nobody waits. */
  get isQuiet(): boolean {
    return this.#silent.size === 0 && this.#deciding.size === 0;
  }

  /** Most connections that say nothing or go, and as many clients about which it is being decided. */
  get maxUnauthenticated(): number {
    return this.#maxUnauthenticated;
  }

  /** A connection came in. Those that go make room for it, then those that say nothing; never one that waits for its answer. */
  greet(connection: StreamSocket): void {
    if (this.#silent.size + this.#leaving.size >= this.#maxUnauthenticated) {
      const [oldest] = this.#leaving.size > 0 ? this.#leaving : this.#silent;
      oldest?.evict();
    }
    const greeting = new ServerGreeting(connection, this, this.#owner.settings);
    this.#silent.add(greeting);
    greeting.start();
  }

  /** Sends everybody away who has no session yet. */
  close(refusal: Refusal): void {
    for (const greeting of this.#deciding) greeting.refuse(refusal);
    // Who has said nothing yet cannot be answered.
    for (const greeting of this.#silent) greeting.evict();
  }

  /** Whoever was sent away goes now. */
  async end(): Promise<void> {
    const { clock } = this.#owner.settings;
    await Promise.all(Array.from(this.#leaving, ({ connection }) => endNow(clock, connection)));
  }

  introduced(greeting: ServerGreeting, hello: Hello): void {
    this.#silent.delete(greeting);
    this.#deciding.add(greeting);
    const { capabilities, closing, journaling } = this.#owner;
    const answer = agreeWithClient(capabilities, hello);
    if (closing !== undefined && !this.#isAwaited(hello)) greeting.refuse(closing);
    else if ("refusal" in answer) greeting.refuse(answer.refusal);
    else if (journaling?.isAway === true && answer.agreement.features.includes(MOVES_FEATURE))
      greeting.refuse(journaling.refusal());
    else if (!this.#mayDecide())
      greeting.refuse(busy("as many clients as limits.maxUnauthenticated allows wait for authenticate"));
    else {
      const { remoteAddress, tls, proxy } = greeting.connection;
      const { auth, version, resume } = hello;
      const applicant: Applicant = { auth, remoteAddress, tls, proxy, version, resuming: resume !== undefined };
      void this.#decide({ greeting, hello, agreement: answer.agreement, applicant });
    }
  }

  declined(greeting: ServerGreeting, error: ZocaloError | undefined): void {
    this.#answered(greeting);
    const { connection } = greeting;
    // A connection that was lost is told by its own channel. Who ends it without a byte, as a health check, has done nothing wrong.
    const isEnd = error?.code === "HANDSHAKE_INVALID" && connection.bytesReceived === 0;
    this.#owner.declined(connection, isEnd || error instanceof ConnectionError ? undefined : error);
  }

  gone(greeting: ServerGreeting): void {
    this.#leaving.delete(greeting);
  }

  /** It does not wait any more. */
  #answered(greeting: ServerGreeting): void {
    this.#silent.delete(greeting);
    this.#deciding.delete(greeting);
    if (greeting.isLeaving) this.#leaving.add(greeting);
    this.onAnswered?.();
  }

  /** Who it is, then whether it continues a session or gets a new one. Never rejects. */
  async #decide(visit: Visit): Promise<void> {
    const { greeting } = visit;
    this.#decisions.set(greeting, this.#owner.settings.clock.now());
    try {
      const { authenticate } = this.#options;
      let principal: string | undefined;
      if (authenticate !== undefined) {
        principal = await authenticate(visit.applicant);
        if (principal === undefined) {
          greeting.refuse(UNKNOWN);
          return;
        }
        if (typeof principal !== "string") throw notText(principal);
      }
      if (greeting.isOpen) await this.#letIn(visit, principal);
    } catch (error) {
      greeting.refuse(refusalFor(error));
      if (!isForCaller(error)) this.#owner.undecided(greeting.connection, error);
    } finally {
      this.#decisions.delete(greeting);
    }
  }

  /**
   * Whether there is room for one more: who says hello and goes, again and again, must not pile up what `authenticate` works
   * on. One that takes longer than a handshake may is not counted any more, since it may never end.
   */
  #mayDecide(): boolean {
    const { clock, handshakeMs } = this.#owner.settings;
    for (const [greeting, since] of this.#decisions) {
      if (this.#decisions.size < this.#maxUnauthenticated) break;
      if (clock.now() < since + handshakeMs) return false;
      this.#decisions.delete(greeting);
    }
    return true;
  }

  async #letIn(visit: Visit, principal: string | undefined): Promise<void> {
    const { greeting, agreement } = visit;
    const { resume: request } = visit.hello;
    if (request === undefined) {
      await this.#open(visit, principal, undefined);
      return;
    }
    const { registry, random, settings, journaling } = this.#owner;
    const nextToken = newToken(random);
    const claim: Claim = { request, principal, agreement, nextToken };
    if (journaling !== undefined && request.server === journaling.instance) {
      await this.#continue(visit, claim, journaling);
      return;
    }
    const dismissal = registry.dismissal(claim, settings.clock.now());
    if (dismissal !== undefined) {
      const { epoch, received, words } = dismissal;
      greeting.welcome(this.#answer(agreement, request.session, nextToken, epoch, { received }), words);
      this.#answered(greeting);
      return;
    }
    const decision = registry.claim(claim, settings.clock.now());
    if (decision.outcome === "refused") greeting.refuse(decision.refusal);
    else if (decision.outcome === "fresh") {
      if (decision.ends) registry.abandon(request.session, decision.reason);
      await this.#open(visit, principal, decision.reason);
    } else {
      const session = registry.sessions.get(request.session) as SessionFacade;
      const { received } = partsOf(session).endpoint.machine;
      partsOf(session).epoch = decision.record.epoch;
      this.#welcome(greeting, session, nextToken, { received }, request);
    }
  }

  /** A session that is in the journal: this server may have it, or another one had it until now. */
  async #continue(visit: Visit, claim: Claim, journaling: SessionJournaling): Promise<void> {
    const { greeting } = visit;
    const { request, nextToken } = claim;
    const { registry } = this.#owner;
    const decision = registry.claim(claim, this.#owner.settings.clock.now(), journaling.instance);
    const session = registry.sessions.get(request.session);
    const isHere = decision.outcome === "resumed" && session !== undefined && (await journaling.renew(session));
    // It may have ended, or gone elsewhere, while that was written.
    if (isHere && registry.sessions.get(request.session) === session && partsOf(session).endpoint.machine.resumable) {
      const { received } = partsOf(session).endpoint.machine.resumePoint;
      partsOf(session).epoch = decision.record.epoch;
      if (greeting.isOpen) this.#welcome(greeting, session, nextToken, { received }, request);
      return;
    }
    const taken = await journaling.take(claim).catch(awayOf);
    if (taken === undefined) greeting.refuse(journaling.refusal());
    else if (taken.outcome === "refused") greeting.refuse(taken.refusal);
    else if (taken.outcome === "fresh") {
      // This server may know why it is gone from the journal.
      const reason =
        decision.outcome === "fresh" && taken.reason === "session-unknown" ? decision.reason : taken.reason;
      if (taken.ends) registry.abandon(request.session, reason);
      await this.#open(visit, claim.principal, reason);
    } else this.#take(visit, claim, taken);
  }

  #take(visit: Visit, { request, nextToken }: Claim, taken: TakenOver): void {
    const { greeting, agreement } = visit;
    const { registry } = this.#owner;
    const { record, stored, data } = taken;
    // What this server has of it is of the past.
    registry.leave(record.id);
    const addressKey = registry.addressKey(greeting.remoteAddress);
    // The client comes again, and finds it in the journal.
    if (!greeting.isOpen) return;
    const refusal = registry.admit({ record, addressKey }, this.#owner.settings.clock.now());
    if (refusal !== undefined) {
      greeting.refuse(refusal);
      return;
    }
    const { id, principal } = record;
    const session = this.#owner.create({ id, principal, agreement, data, addressKey, taken });
    registry.opened(session);
    const { received, sent: moved } = stored.session;
    this.#welcome(greeting, session, nextToken, { received, moved }, request);
  }

  async #open(visit: Visit, known: string | undefined, fresh: FreshReason | undefined): Promise<void> {
    const { greeting, agreement, applicant } = visit;
    const { registry, random, settings } = this.#owner;
    if (!this.#mayOpen(greeting)) return;
    const id = newId(random);
    const principal = known ?? id;
    let data: unknown;
    if (this.#options.data !== undefined) {
      data = await this.#options.data({ ...applicant, principal });
      if (!this.#mayOpen(greeting)) return;
    }
    const token = newToken(random);
    const addressKey = registry.addressKey(greeting.remoteAddress);
    const record = newRecord(id, principal, token);
    const refusal = registry.admit({ record, addressKey }, settings.clock.now());
    if (refusal !== undefined) {
      greeting.refuse(refusal);
      return;
    }
    const session = this.#owner.create({ id, principal, agreement, data, addressKey });
    registry.opened(session);
    // What the client hears of can be continued.
    const { journaling } = this.#owner;
    if (journaling !== undefined && isJournaled(session) && !(await journaling.renew(session))) {
      greeting.refuse(journaling.refusal());
      this.#owner.discard(session);
      return;
    }
    this.#welcome(greeting, session, token, fresh === undefined ? {} : { fresh });
  }

  #welcome(
    greeting: ServerGreeting,
    session: SessionFacade,
    token: string,
    how: Pick<Welcome, "received" | "moved" | "fresh">,
    request?: ResumeRequest,
  ): void {
    const { endpoint, epoch, since } = partsOf(session);
    const { id, terms } = endpoint;
    try {
      greeting.welcome(this.#answer(terms.agreement, id, token, epoch, how));
      this.#answered(greeting);
      if (isJournaled(session)) this.#owner.log?.resume(session, Math.max(since, request?.place ?? 0));
      const moved = how.moved === undefined ? undefined : request?.sent;
      endpoint.connect(greeting.connection, request?.received ?? 0, undefined, moved);
    } catch (error) {
      // A mistake of this side: the client must not wait for a session that nobody holds, nor the session for its client.
      greeting.connection.abort(error);
      const detail = "the server could not attach the session to its connection";
      endpoint.abort(new ConnectionError("SESSION_LOST", { op: "session", detail, cause: error }));
      throw error;
    }
  }

  #answer(
    { codec, features, limits }: Agreement,
    session: string,
    token: string,
    epoch: number,
    how: Pick<Welcome, "received" | "moved" | "fresh">,
  ): Welcome {
    const { capabilities, settings, instance, journaling, keptMs } = this.#owner;
    const server = features.includes(MOVES_FEATURE) ? (journaling?.instance ?? instance) : instance;
    const { version } = capabilities.contract;
    const offers = settings.plan.of("json").own.names;
    return { version, offers, codec, features, limits, session, token, server, epoch, keptMs, ...how };
  }

  /** Whether a client belongs to a session that a server which is leaving still has to finish. */
  #isAwaited({ resume }: Hello): boolean {
    return resume !== undefined && this.#owner.registry.sessions.has(resume.session);
  }

  /** Whether the client still waits, and the server still takes one that has no session. */
  #mayOpen(greeting: ServerGreeting): boolean {
    const { closing } = this.#owner;
    if (closing !== undefined) greeting.refuse(closing);
    return greeting.isOpen;
  }
}

/** Whether nothing of it leaves before the journal has it. */
function isJournaled(session: SessionFacade): boolean {
  return partsOf(session).endpoint.terms.machine.journaled === true;
}

function awayOf(error: unknown): undefined {
  if (error instanceof ZocaloError && error.code.startsWith("JOURNAL_")) return;
  throw error;
}

const UNKNOWN: Refusal = {
  code: "UNAUTHENTICATED",
  message: "the server does not accept the credentials of the client",
};

/** What a client is told after `authenticate` or `data` has thrown. */
function refusalFor(error: unknown): Refusal {
  if (!isForCaller(error)) return UNKNOWN;
  return error.code === "SERVER_BUSY" ? busy(error.message) : { ...UNKNOWN, message: error.message };
}

function notText(principal: unknown): UsageError {
  const detail = `authenticate must answer a text that names the client, or undefined; not ${typeof principal}`;
  return new UsageError("OPTION_INVALID", { op: "authenticate", detail });
}

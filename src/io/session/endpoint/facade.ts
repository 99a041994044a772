/** The object of a session that a program holds: its own properties, and the methods of the peer as functions. */

import { showAs } from "../../../core/show-as.ts";
import type { Address } from "../../../core/address/address.ts";
import type { Methods } from "../../../core/contract/contract.ts";
import type { ContractPlan, MethodPlan } from "../../contract/plan.ts";
import { checkOptions, OPERATION_RULES, type OptionRules } from "../../operation/check-options.ts";
import { EndAnnouncement } from "../../operation/end-announcement.ts";
import { unbound } from "../../operation/unbound.ts";
import type { OperationOptions } from "../../operation/deadline.ts";
import type { SessionEnd, SessionStatus } from "../end.ts";
import type { SessionEndpoint } from "./endpoint.ts";
import type { SessionBase, SessionStats } from "../session.ts";

/** What goes wrong here must not leave a session that is half over. */
const CLOSE_RULES: OptionRules = { message: { wanted: "a string", holds: (value) => typeof value === "string" } };

/** Whoever the session belongs to. */
export interface SessionKeeper {
  /** Where the session stands, as the program sees it. */
  statusOf(facade: SessionFacade): SessionStatus;
  close(facade: SessionFacade, message: string): Promise<void>;
  abort(facade: SessionFacade, reason: unknown): void;
  drain(facade: SessionFacade, options: OperationOptions): Promise<void>;
  /** Whether deadlines and pauses keep the process alive. */
  refer(referenced: boolean): void;
}

/** What one session object is made of. The class below has no other fields, since methods of the contract are beside them. */
export interface FacadeParts {
  readonly keeper: SessionKeeper;
  /** The session of now; a client that begins anew replaces it. */
  endpoint: SessionEndpoint;
  /** Who the peer is, as `authenticate` said; undefined at a client. */
  readonly principal: string | undefined;
  data: unknown;
  announcement: EndAnnouncement<SessionEnd> | undefined;
  /** At a server: how often a connection was accepted. */
  epoch: number;
  /** Whether its connections keep the process alive. */
  referenced: boolean;
  /** At a server: under which address the session counts; undefined where it counts under none. */
  readonly addressKey: string | undefined;
}

let readParts: (facade: SessionFacade, method: string) => FacadeParts;

/** The parts of a session object. @throws UsageError `OPTION_INVALID` when `method` was called without its object. */
export function partsOf(facade: SessionFacade, method = "session"): FacadeParts {
  return readParts(facade, method);
}

/** A session object without the methods of the peer. */
export class SessionFacade implements SessionBase<unknown> {
  // Private, so that it hides no method of a contract.
  readonly #parts: FacadeParts;

  static {
    readParts = (facade, method) => {
      try {
        return facade.#parts;
      } catch {
        throw unbound("session", method);
      }
    };
  }

  constructor(parts: FacadeParts) {
    this.#parts = parts;
  }

  get id(): string {
    return this.#parts.endpoint.id;
  }
  get state(): SessionStatus {
    return this.#parts.keeper.statusOf(this);
  }
  get principal(): string | undefined {
    return this.#parts.principal;
  }
  get data(): unknown {
    const parts = this.#parts;
    parts.data ??= {};
    return parts.data;
  }
  set data(data: unknown) {
    this.#parts.data = data;
  }
  get localAddress(): Address | undefined {
    return this.#parts.endpoint.place?.localAddress;
  }
  get remoteAddress(): Address | undefined {
    return this.#parts.endpoint.place?.remoteAddress;
  }
  get stats(): SessionStats {
    const { machine, counts, heldBytes } = this.#parts.endpoint;
    return {
      unacknowledged: machine.unacknowledged,
      pending: machine.pending,
      ...counts,
      heldBytes,
      roundTripMs: machine.link?.roundTripMs,
    };
  }
  get closed(): Promise<SessionEnd> {
    return announcementOf(this).closed;
  }
  get signal(): AbortSignal {
    return announcementOf(this).signal;
  }

  ref(): this {
    return refer(this, true);
  }
  unref(): this {
    return refer(this, false);
  }
  async close(message = "closed"): Promise<void> {
    const { keeper } = partsOf(this, "close");
    checkOptions({ op: "close" }, { message }, CLOSE_RULES);
    await keeper.close(this, message);
  }
  abort(reason?: unknown): void {
    partsOf(this, "abort").keeper.abort(this, reason);
  }
  async drain(options: OperationOptions = {}): Promise<void> {
    const { keeper } = partsOf(this, "drain");
    await keeper.drain(this, checkOptions({ op: "drain" }, options, OPERATION_RULES));
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
showAs(SessionFacade, "Session", ({ id, state, principal, remoteAddress }) => ({
  id,
  state,
  principal,
  remoteAddress,
}));

function refer<Facade extends SessionFacade>(facade: Facade, referenced: boolean): Facade {
  const parts = partsOf(facade, referenced ? "ref" : "unref");
  parts.referenced = referenced;
  parts.keeper.refer(referenced);
  const { connection } = parts.endpoint;
  if (referenced) connection?.ref();
  else connection?.unref();
  return facade;
}

/** The session has another connection. */
export function tellAttached(facade: SessionFacade): void {
  const { referenced, endpoint } = partsOf(facade);
  if (!referenced) endpoint.connection?.unref();
}

/** Tells the program that the session is over. */
export function tellEnd(facade: SessionFacade, end: SessionEnd): void {
  const parts = partsOf(facade);
  parts.announcement ??= new EndAnnouncement();
  parts.announcement.tell(end, end.error ?? parts.endpoint.overError("session", "unknown"));
}

function announcementOf(facade: SessionFacade): EndAnnouncement<SessionEnd> {
  const parts = partsOf(facade);
  parts.announcement ??= new EndAnnouncement();
  return parts.announcement;
}

type AnyMethod = (this: SessionFacade, input: unknown, options?: OperationOptions) => unknown;

/** The class of the session objects of one contract: the methods of the peer are on its prototype, once for all sessions. */
export function facadeClass(plan: ContractPlan): new (parts: FacadeParts) => SessionFacade {
  class ContractSession extends SessionFacade {}
  const methods: Methods = plan.peer;
  for (const [place, name] of Object.keys(methods).sort().entries()) {
    const method = methodOf(methods[name]?.kind, place, name);
    Object.defineProperty(ContractSession.prototype, name, { value: method, writable: true, configurable: true });
  }
  return ContractSession;
}

function methodOf(kind: MethodPlan["kind"] | undefined, place: number, name: string): AnyMethod {
  const planOf = (endpoint: SessionEndpoint): MethodPlan => endpoint.plan.peer.methods[place] as MethodPlan;
  if (kind === "event") {
    return function send(input) {
      const { endpoint } = partsOf(this, name);
      return endpoint.events.send(planOf(endpoint), input);
    };
  }
  if (kind === "call") {
    return function call(input, options) {
      const { endpoint } = partsOf(this, name);
      return endpoint.calls.call(planOf(endpoint), input, options);
    };
  }
  return function open(input, options) {
    const { endpoint } = partsOf(this, name);
    return endpoint.streams.open(planOf(endpoint), input, options);
  };
}

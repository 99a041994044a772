/** The object of a session that a program holds. */

import { type Interop, interopOf } from "../../operation/own-clock.ts";
import { showAs } from "../../../core/show-as.ts";
import type { Address } from "../../../core/address/address.ts";
import type { MethodPlan } from "../../contract/plan.ts";
import { remoteObject } from "../../contract/remote.ts";
import { checkOptions, OPERATION_RULES, type OptionRules } from "../../../core/options/check-options.ts";
import { EndAnnouncement } from "../../operation/end-announcement.ts";
import { unbound } from "../../operation/unbound.ts";
import type { OperationOptions } from "../../operation/deadline.ts";
import type { SessionEnd, SessionStatus } from "../end.ts";
import type { SessionEndpoint } from "./endpoint.ts";
import type { SessionBase, SessionStats } from "../public.ts";

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

/** What one session object is made of. */
export interface FacadeParts {
  readonly keeper: SessionKeeper;
  /** The session of now; a client that begins anew replaces it. */
  endpoint: SessionEndpoint;
  /** Who the peer is, as `authenticate` said; undefined at a client. */
  readonly principal: string | undefined;
  data: unknown;
  /** Made when it is first asked for. */
  remote: object | undefined;
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

/** A session, as the program sees it. */
export class SessionFacade implements SessionBase<unknown> {
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
  get remote(): object {
    const parts = this.#parts;
    parts.remote ??= remoteOf(parts);
    return parts.remote;
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

  get interop(): Interop {
    return interopOf((referenced) => refer(this, referenced));
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

function refer(facade: SessionFacade, referenced: boolean): void {
  const parts = partsOf(facade, referenced ? "ref" : "unref");
  parts.referenced = referenced;
  parts.keeper.refer(referenced);
  const { connection } = parts.endpoint;
  if (referenced) connection?.interop.ref();
  else connection?.interop.unref();
}

/** The session has another connection. */
export function tellAttached(facade: SessionFacade): void {
  const { referenced, endpoint } = partsOf(facade);
  if (!referenced) endpoint.connection?.interop.unref();
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

/** The methods of the peer, on the session of now: a client that begins anew replaces it. */
function remoteOf(parts: FacadeParts): object {
  return remoteObject(parts.endpoint.plan.peer.methods, ({ kind }, place) => {
    const planOf = (endpoint: SessionEndpoint): MethodPlan => endpoint.plan.peer.methods[place] as MethodPlan;
    if (kind === "event") {
      return (input) => {
        const { endpoint } = parts;
        return endpoint.events.send(planOf(endpoint), input);
      };
    }
    if (kind === "call") {
      return (input, options?: OperationOptions) => {
        const { endpoint } = parts;
        return endpoint.calls.call(planOf(endpoint), input, options);
      };
    }
    return (input, options?: OperationOptions) => {
      const { endpoint } = parts;
      return endpoint.streams.open(planOf(endpoint), input, options);
    };
  });
}

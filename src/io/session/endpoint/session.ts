/** The object of a session that a program holds. */

import { type Interop, interopOf } from "../../operation/own-clock.ts";
import { showAs } from "../../../core/show-as.ts";
import type { Address } from "../../../core/address/address.ts";
import type { AskedPeer } from "../../contract/call-watch.ts";
import type { RemoteCallOptions } from "../../contract/metadata.ts";
import type { MethodPlan } from "../../contract/plan.ts";
import { remoteObject, unbound } from "../../contract/handlers.ts";
import { OPERATION_RULES, type RulesOf } from "../../../core/options/check-options.ts";
import { listChange } from "../../operation/diagnostics.ts";
import { GracefulClose } from "../../operation/graceful-close.ts";
import { EndAnnouncement } from "../../operation/end-announcement.ts";
import type { Reconnection, SessionEnd, SessionStatus } from "../end.ts";
import type { ClosingTime } from "./ending.ts";
import type { SessionEndpoint } from "./endpoint.ts";
import type { SessionBase, SessionCloseOptions, SessionStats } from "../public.ts";

const CLOSE_RULES: RulesOf<SessionCloseOptions> = {
  ...OPERATION_RULES,
  message: { wanted: "a string", holds: (value) => typeof value === "string" },
};

/** What the object of a session needs of its owner, the client or the server. */
export interface FacadeOwner {
  /** Where the session stands, as the program sees it. */
  statusOf(facade: SessionFacade): SessionStatus;
  /** What a client does about a connection that is lost; a server makes none. */
  reconnectionOf?(): Reconnection | undefined;
  /** Resolves with the end as it is known when the connection is closed: handlers may still be at work. */
  close(facade: SessionFacade, message: string, time: ClosingTime): Promise<SessionEnd>;
  abort(facade: SessionFacade, reason: unknown): void;
  /** Whether deadlines and pauses keep the process alive. */
  refer(referenced: boolean): void;
}

/** What one session object is made of. */
export interface FacadeParts {
  readonly owner: FacadeOwner;
  /** The session of now; a client that begins anew replaces it. */
  endpoint: SessionEndpoint;
  /** Who the peer is, as `authenticate` said; undefined at a client. */
  readonly principal: string | undefined;
  data: unknown;
  /** Made when it is first asked for. */
  remote: object | undefined;
  announcement: EndAnnouncement<SessionEnd> | undefined;
  /** Made when it is first closed. */
  closing: GracefulClose<SessionEnd, SessionCloseOptions> | undefined;
  /** At a server: how often a connection was accepted. */
  epoch: number;
  /** At a server with a journal: the place in its log behind which the session began; 0 otherwise. */
  readonly since: number;
  /** At a server: whether the program has been told that it is open. */
  opened: boolean;
  /** At a server: changes of what a journal keeps beside messages, groups and `opened`, that it has not kept. */
  changes: number;
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
    listChange(this, true);
  }

  get id(): string {
    return this.#parts.endpoint.id;
  }
  get state(): SessionStatus {
    return this.#parts.owner.statusOf(this);
  }
  get reconnection(): Reconnection | undefined {
    return this.#parts.owner.reconnectionOf?.();
  }
  get remote(): object {
    const parts = this.#parts;
    parts.remote ??= remoteOf(this, parts);
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
  async close(options?: SessionCloseOptions): Promise<SessionEnd> {
    const parts = partsOf(this, "close");
    parts.closing ??= closingOf(this, parts);
    return await parts.closing.close(options);
  }
  abort(reason?: unknown): void {
    partsOf(this, "abort").owner.abort(this, reason);
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

function closingOf(
  facade: SessionFacade,
  { owner, endpoint }: FacadeParts,
): GracefulClose<SessionEnd, SessionCloseOptions> {
  const closing: GracefulClose<SessionEnd, SessionCloseOptions> = new GracefulClose(
    endpoint.settings.clock,
    () => ({ op: "close" }),
    ({ message = "closed" }) => owner.close(facade, message, closing),
    CLOSE_RULES,
  );
  return closing;
}

function refer(facade: SessionFacade, referenced: boolean): void {
  const parts = partsOf(facade, referenced ? "ref" : "unref");
  parts.referenced = referenced;
  parts.owner.refer(referenced);
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
  listChange(facade, false);
  parts.announcement.tell(end, end.error ?? parts.endpoint.overError("session", "unknown"));
}

function announcementOf(facade: SessionFacade): EndAnnouncement<SessionEnd> {
  const parts = partsOf(facade);
  parts.announcement ??= new EndAnnouncement();
  return parts.announcement;
}

/** The methods of the peer, on the session of now: a client that begins anew replaces it. */
function remoteOf(facade: SessionFacade, parts: FacadeParts): object {
  const { settings, plan } = parts.endpoint;
  const { watch, clock, callMs } = settings;
  const now = (): number => clock.now();
  const asked = (): AskedPeer => {
    return { session: facade, context: parts.endpoint.context("session"), now, callMs };
  };
  return remoteObject(plan.peer.methods, (method, place) => {
    const planOf = (endpoint: SessionEndpoint): MethodPlan => endpoint.plan.peer.methods[place] as MethodPlan;
    if (method.kind === "stream") {
      return (input, options?: RemoteCallOptions) => {
        const { endpoint } = parts;
        if (!watch.isIntercepted) return endpoint.streams.open(planOf(endpoint), input, options);
        const stream = endpoint.streams.make(planOf(endpoint));
        let isAsked = false;
        const open = (_input: unknown, left?: RemoteCallOptions): unknown => {
          isAsked = true;
          return endpoint.streams.open(planOf(endpoint), input, left, stream);
        };
        watch.ask(method, input, options, asked(), open).then(
          () => isAsked || endpoint.streams.unopened(stream),
          (error: unknown) => stream.giveUp(error),
        );
        return stream;
      };
    }
    if (method.kind === "event") {
      const send = (input: unknown, options?: RemoteCallOptions): unknown => {
        const { endpoint } = parts;
        return endpoint.events.send(planOf(endpoint), input, options);
      };
      return watch.asking(method, send, asked);
    }
    const call = (input: unknown, options?: RemoteCallOptions): unknown => {
      const { endpoint } = parts;
      return endpoint.traffic.calls.call(planOf(endpoint), input, options);
    };
    return watch.asking(method, call, asked);
  });
}

/** A client of sessions, over any network: one object for the program, over connections and sessions that come and go. */

import type { Address } from "../../../core/address/address.ts";
import type { Contract, Methods } from "../../../core/contract/contract.ts";
import { ConnectionError, type ZocaloError } from "../../../core/errors.ts";
import { NEVER_MS } from "../../../core/session/wire/control-frames.ts";
import { checkContract } from "../../contract/handlers.ts";
import { ContractPlan } from "../../contract/plan.ts";
import type { Network } from "../../network/network.ts";
import { checkOptions, type OptionRules } from "../../../core/options/check-options.ts";
import type { OperationContext } from "../../operation/deadline.ts";
import { type OwnClock, ownNetwork } from "../../operation/own-clock.ts";
import { callProgram, PeerProblems, reportProblem } from "../../operation/peer-problems.ts";
import type { StreamSocket } from "../../stream/socket.ts";
import {
  abortError,
  endOf,
  type LostMessage,
  type Reconnection,
  overError,
  type ReadyReport,
  reasonBehind,
  saysThatItCloses,
  type SessionEnd,
  type SessionStatus,
} from "../end.ts";
import { type EndpointOwner, SessionEndpoint } from "../endpoint/endpoint.ts";
import { partsOf, SessionFacade, type FacadeOwner, tellAttached, tellEnd } from "../endpoint/session.ts";
import type { ClosingTime } from "../endpoint/ending.ts";
import type { SessionGap } from "../gap.ts";
import { SessionSchedule } from "../schedule.ts";
import type { Session } from "../public.ts";
import { type EndpointSettings, endpointSettings } from "../settings.ts";
import { serverAddresses, type ServerAddressesLike } from "./addresses.ts";
import { type AnyClientOptions, type ConnectSessionOptions, OPEN_SESSION_RULES } from "./options.ts";
import { type ConnectorOwner, type Resumption, SessionConnector } from "./connector.ts";
import { closeUnwanted, type Welcomed } from "./introduction.ts";
import { ClientWaiting, type WaitingOwner } from "./waiting.ts";
import { CLIENT_TABLE, type ClientInput, type ClientState } from "./state.ts";

const NONE_LOST: readonly LostMessage[] = [];
/** What is told of the first session. */
const FIRST: ReadyReport = { reason: "first", lost: NONE_LOST };

/** Opens a session over `network`; see the public `connectSession`, whose own options have more `rules`. */
export async function openSessionOver<Server extends Methods, Client extends Methods, Data>(
  network: Network,
  contract: Contract<Server, Client>,
  address: ServerAddressesLike,
  given: ConnectSessionOptions<Server, Client, Data>,
  rules: OptionRules = OPEN_SESSION_RULES,
): Promise<Session<Server, Data>> {
  checkContract("connectSession", contract);
  const options = checkOptions({ op: "connectSession" }, given, rules);
  const addresses = serverAddresses("connectSession", address);
  const client = new SessionClient(network, contract, addresses, options as unknown as AnyClientOptions);
  return (await client.open()) as unknown as Session<Server, Data>;
}

/** The session that can be continued. */
interface Resumable {
  readonly endpoint: SessionEndpoint;
  readonly server: string;
  token: string;
  attempt: number;
}

class SessionClient implements EndpointOwner, FacadeOwner, ConnectorOwner, WaitingOwner {
  readonly #options: AnyClientOptions;
  readonly #settings: EndpointSettings;
  readonly #connector: SessionConnector;
  readonly #clock: OwnClock;
  /** The object of the program; undefined until the first session is open. */
  #session: SessionFacade | undefined;
  #resumable: Resumable | undefined;
  /** The server has said that it goes, and that its sessions end. */
  #serverLeaves = false;
  /** Why the next session is not the one before; undefined for the first one. */
  #fresh: ReadyReport | undefined;
  /** A connection that is lost is made again. */
  readonly #reconnects: boolean;
  /** Only `#enter` changes it. */
  #state: ClientState = "opening";
  /** The session behind which nothing follows, once it is over. */
  #last: SessionEndpoint | undefined;
  /** Sessions that are over, and whose events are still being handled. */
  readonly #finishing: Set<SessionEndpoint> = new Set();
  /** Events that were not handled in the sessions before. */
  #unhandled = 0;
  /** How it ends, as soon as what was accepted is handled; undefined while it goes on. */
  #end: SessionEnd | undefined;
  readonly #waiting: ClientWaiting;

  constructor(network: Network, contract: Contract, addresses: readonly Address[], options: AnyClientOptions) {
    this.#options = options;
    const own = ownNetwork(network);
    const { clock } = own;
    this.#clock = clock;
    const plan = new ContractPlan(contract, "client", options.validate, options.limits?.maxMessageValues);
    const peerProblems = new PeerProblems(clock, (error) => this.report(error));
    const settings = endpointSettings(options, { clock, schedule: new SessionSchedule(clock), peerProblems, plan });
    const { codecs, features, limits } = settings;
    this.#settings = settings;
    this.#waiting = new ClientWaiting(settings, this, options);
    const { reconnect = {}, auth, retry, timeoutMs, localAddress, tls, tcp, timeouts } = options;
    const writeStallMs = timeouts?.writeStallMs;
    this.#reconnects = reconnect !== false;
    this.#connector = new SessionConnector(own, this, {
      addresses,
      capabilities: { contract, codecs, features, limits },
      settings,
      auth,
      opening: { retry, timeoutMs },
      connect: { localAddress, tls, tcp, timeouts: { writeStallMs } },
      reconnect: reconnect === false ? {} : reconnect,
    });
  }

  /** The first session, once it is ready. */
  async open(): Promise<SessionFacade> {
    await this.#connector.open(this.#options.signal);
    const session = this.#session as SessionFacade;
    await this.#waiting.opening.ready(() => void session.close());
    return session;
  }

  // How the program ends it.

  statusOf(facade: SessionFacade): SessionStatus {
    if (this.#state === "over") return "closed";
    if (this.#end !== undefined) return "leaving";
    return this.#hasSession(facade) ? partsOf(facade).endpoint.status : "detached";
  }

  async close(facade: SessionFacade, message: string, time: ClosingTime): Promise<SessionEnd> {
    const waiting = this.#waiting.close(time);
    // What waits while a server leaves is asked for in the next session.
    if (waiting !== undefined && this.#state === "open") await Promise.race([waiting, time.expired]);
    this.#enter("stop");
    if (!this.#hasSession(facade) && waiting !== undefined && !time.isExpired)
      await Promise.race([waiting, time.expired]);
    partsOf(facade).endpoint.gate = undefined;
    if (this.#hasSession(facade)) await partsOf(facade).endpoint.ending.close(message, time);
    else this.#finishBetween(undefined, message);
    await Promise.all(Array.from(this.#finishing, ({ ending }) => ending.handled(time.expired)));
    return (this.#end ?? partsOf(facade).endpoint.end) as SessionEnd;
  }

  abort(facade: SessionFacade, reason: unknown): void {
    this.#enter("stop");
    const error = abortError(reason);
    if (this.#hasSession(facade)) partsOf(facade).endpoint.abort(error);
    else this.#finishBetween(error, error.detail);
    for (const before of this.#finishing) before.ending.giveUp();
  }

  refer(referenced: boolean): void {
    this.#clock.setReferenced(referenced);
  }

  /** Whether there is a session, or was one that was the last. */
  #hasSession(facade: SessionFacade): boolean {
    const { endpoint } = partsOf(facade);
    return endpoint.end === undefined || endpoint === this.#last;
  }

  // What the session tells.

  attached(endpoint: SessionEndpoint, resumed: boolean, replayed: number): void {
    const { onReady, onResume } = this.#options;
    const session = this.#session as never;
    tellAttached(session);
    if (resumed) {
      this.#waiting.resumed();
      this.#tell(() => onResume?.(session, { replayed }));
      return;
    }
    const report = this.#fresh ?? FIRST;
    this.#fresh = undefined;
    this.#waiting.begin(endpoint, onReady && (() => onReady(session, report)));
  }

  confirmed(): void {}

  holds(): void {}

  detached(endpoint: SessionEndpoint): void {
    if (!this.#reconnects || !endpoint.machine.resumable) {
      const why = this.#reconnects ? "it has refused messages after its GOAWAY" : "reconnect is off";
      const detail = `the connection is lost, and ${why}`;
      endpoint.lose(new ConnectionError("SESSION_LOST", { ...this.#context, detail }));
      return;
    }
    this.#waiting.detached();
    this.#tell(() => this.#options.onDetach?.(this.#session as never));
    this.#connector.reconnect();
  }

  leaving(endpoint: SessionEndpoint, survives: boolean, retryAfterMs: number): void {
    if (retryAfterMs === NEVER_MS) return;
    this.#connector.serverLeaves(retryAfterMs);
    if (survives) endpoint.disconnect(false);
    else this.#serverLeaves = true;
  }

  ended(endpoint: SessionEndpoint, end: SessionEnd): void {
    this.#finishing.add(endpoint);
    // It has another one already: see `welcomed`.
    if (this.#resumable?.endpoint !== endpoint) {
      this.#fresh = { reason: this.#fresh?.reason ?? "expired", lost: end.lost };
      return;
    }
    this.#resumable = undefined;
    if (!this.isFollowed(endpoint)) {
      this.#enter("end");
      this.#last = endpoint;
      this.#connector.stop();
      return;
    }
    this.#enter("lose");
    this.#fresh = { reason: reasonBehind(end), lost: end.lost };
    if (endpoint.wasAttached) this.#tell(() => this.#options.onDetach?.(this.#session as never));
    this.#connector.reconnect();
  }

  finished(endpoint: SessionEndpoint, end: SessionEnd): void {
    this.#finishing.delete(endpoint);
    if (endpoint !== this.#last) this.#unhandled += end.unhandled;
    else this.#conclude(end);
    this.#look();
  }

  gapBehind(endpoint: SessionEndpoint): SessionGap | undefined {
    const isNow = this.#session !== undefined && partsOf(this.#session).endpoint === endpoint;
    return isNow && this.isFollowed(endpoint) ? this.#waiting.gap : undefined;
  }

  /** Whether another session follows the one of now, which is over, or whose server leaves. */
  isFollowed({ end }: SessionEndpoint): boolean {
    if (this.#state !== "open") return this.#state === "between";
    if (end === undefined) return this.#serverLeaves;
    return end.how === "lost" || (this.#serverLeaves && end.error === undefined);
  }

  problem(endpoint: SessionEndpoint, error: unknown): void {
    if (!saysThatItCloses(error, endpoint)) this.report(error);
  }

  // What the connector asks for, and tells.

  resumption(): Resumption {
    const resumable = this.#resumable;
    if (resumable === undefined) return {};
    resumable.attempt += 1;
    const { endpoint, token, server, attempt } = resumable;
    const resume = { session: endpoint.id, token, server, attempt, ...endpoint.machine.resumePoint };
    return { resume, resumeUnder: endpoint.terms.agreement };
  }

  mayContinue(): boolean {
    return this.#resumable !== undefined;
  }

  welcomed(connection: StreamSocket, answer: Welcomed, elsewhere: boolean): void {
    const { welcome, agreement, rest } = answer;
    const { session: id, token, server, keptMs, received, moved, fresh } = welcome;
    const before = this.#resumable;
    if (before !== undefined && received !== undefined) {
      before.token = token;
      before.endpoint.connect(connection, received, rest, moved);
      return;
    }
    if (before !== undefined) {
      const detail = `the server could not continue it: ${fresh}`;
      const error = new ConnectionError("SESSION_LOST", { op: "session", detail });
      if (this.#state === "last") {
        closeUnwanted(connection, answer);
        before.endpoint.lose(error);
        return;
      }
      this.#resumable = undefined;
      this.#enter("lose");
      const isOther = elsewhere && fresh === "server-restarted";
      this.#fresh = { reason: isOther ? "other-server" : (fresh ?? "session-unknown"), lost: NONE_LOST };
      before.endpoint.lose(error);
    }
    this.#serverLeaves = false;
    const endpoint = new SessionEndpoint(this.#settings, this, { id, agreement, keptMs });
    this.#resumable = { endpoint, server, token, attempt: 0 };
    this.#enter("begin");
    if (!this.#reconnects) this.#enter("stop");
    if (this.#session === undefined) {
      this.#session = this.#createSession(endpoint);
      // The program awaits the session: no handler of what is behind the welcome starts before it has that.
      endpoint.traffic.settled();
    } else partsOf(this.#session).endpoint = endpoint;
    endpoint.session = this.#session;
    endpoint.connect(connection, 0, rest);
  }

  reconnecting(): void {
    const { reconnection } = this.#connector;
    if (reconnection !== undefined)
      this.#tell(() => this.#options.onReconnecting?.(this.#session as never, reconnection));
  }

  attemptFailed(error: unknown, isNew: boolean): void {
    this.report(error, isNew);
  }

  reconnectionOf(): Reconnection | undefined {
    return this.#connector.reconnection;
  }

  gaveUp(cause: unknown): void {
    const detail = "no connection could be made any more";
    this.#lose(new ConnectionError("SESSION_LOST", { ...this.#context, detail, cause }));
  }

  refused(cause: ZocaloError): void {
    const { code, detail, side } = cause;
    this.#lose(new ConnectionError(code, { ...this.#context, detail, side, cause }));
  }

  #lose(error: ZocaloError): void {
    this.#enter("stop");
    if (this.#resumable === undefined) this.#finishBetween(error, error.detail);
    else this.#resumable.endpoint.lose(error);
  }

  /** Changes the state; answers whether that is possible. */
  #enter(input: ClientInput): boolean {
    const next = CLIENT_TABLE[this.#state][input];
    if (next !== undefined) this.#state = next;
    return next !== undefined;
  }

  /** There is no session, and none will follow. What the last one has lost was not told yet. */
  #finishBetween(error: ZocaloError | undefined, message: string): void {
    this.#conclude({ ...endOf(error, message, true), lost: this.#fresh?.lost ?? NONE_LOST });
    this.#look();
  }

  /** Names the last connection in an error. */
  get #context(): OperationContext {
    return this.#resumable?.endpoint.context("session") ?? { op: "session" };
  }

  #createSession(endpoint: SessionEndpoint): SessionFacade {
    const { data } = this.#options;
    const rest = {
      principal: undefined,
      remote: undefined,
      announcement: undefined,
      closing: undefined,
      epoch: 0,
      since: 0,
      opened: false,
      changes: 0,
      referenced: true,
      addressKey: undefined,
    };
    return new SessionFacade({ owner: this, endpoint, data, ...rest });
  }

  /** This is how it ends: nothing waits for another session. */
  #conclude(end: SessionEnd): void {
    if (this.#end !== undefined) return;
    this.#connector.stop();
    const unsent = this.#waiting.over((op) => overError(end, { ...this.#context, op }, "none"));
    this.#end = unsent.length === 0 ? end : { ...end, lost: [...end.lost, ...unsent] };
    // What it is asked for from now on fails because of this, not because of how its last session has ended.
    partsOf(this.#session as SessionFacade).endpoint.end = this.#end;
  }

  /** Is over when nothing follows, and all that its sessions have accepted is handled or given up. */
  #look(): void {
    if (this.#end === undefined || this.#finishing.size > 0 || !this.#enter("finish")) return;
    this.#settings.peerProblems.close();
    const session = this.#session as SessionFacade;
    const end = { ...this.#end, unhandled: this.#end.unhandled + this.#unhandled };
    tellEnd(session, end);
    this.#tell(() => this.#options.onClose?.(session as never, end));
  }

  /** Calls a function of the program; what it throws is told like everything that nobody awaits. */
  #tell(callback: () => unknown): void {
    callProgram(callback, (error) => this.report(error));
  }

  /** Publishes an error, and tells the program of it. */
  report(error: unknown, isNews = true): void {
    const endpoint = this.#session === undefined ? undefined : partsOf(this.#session).endpoint;
    const place = { kind: "stream", local: undefined, remote: undefined, ...endpoint?.context("session") } as const;
    reportProblem(error, place, () => (isNews ? this.#options.onError?.(error, this.#session as never) : undefined));
  }
}

/** A server of sessions, over any network. */

import { type NativeInterop, serverInterop } from "../../operation/own-clock.ts";
import type { Address, AddressLike } from "../../../core/address/address.ts";
import type { Contract, Methods } from "../../../core/contract/contract.ts";
import { ConnectionError, type ZocaloError } from "../../../core/errors.ts";
import type { Refusal } from "../../../core/handshake/hello.ts";
import type { Capabilities } from "../../../core/handshake/negotiate.ts";
import type { SessionRecord } from "../../../core/session/resume/session-store.ts";
import { DEFAULT_KEPT_MS } from "../../../core/session/settings.ts";
import { type MetricFamily, openMetricsText } from "../../../core/open-metrics.ts";
import { showAs } from "../../../core/show-as.ts";
import { serverFamily } from "../../contract/call-metrics.ts";
import { isPeersFault } from "../../contract/error-body.ts";
import { checkContract, checkSessionAddress, unbound } from "../../contract/handlers.ts";
import { ContractPlan } from "../../contract/plan.ts";
import type { Listener } from "../../listener/listener.ts";
import { listenerAddress, openListener } from "../../listener/listen.ts";
import type { Clock, Network, Random } from "../../network/network.ts";
import type { TlsOptions } from "../../network/tls.ts";
import { checkOptions, type OptionRules } from "../../../core/options/check-options.ts";
import { listChange } from "../../operation/diagnostics.ts";
import { type CloseReport, GracefulClose, type ServerEnd } from "../../operation/graceful-close.ts";
import { type OwnNetwork, ownNetwork } from "../../operation/own-clock.ts";
import { callProgram, PeerProblems, reportProblem } from "../../operation/peer-problems.ts";
import { StreamSocket } from "../../stream/socket.ts";
import { connectionSettings } from "../../stream/settings.ts";
import { saysThatItCloses, type SessionEnd } from "../end.ts";
import { type EndpointOwner, SessionEndpoint } from "../endpoint/endpoint.ts";
import { partsOf, SessionFacade, tellAttached, tellEnd } from "../endpoint/session.ts";
import { SessionSchedule } from "../schedule.ts";
import { type EndpointSettings, endpointSettings, type HandlingWithin } from "../settings.ts";
import { SharedLog } from "../shared/log.ts";
import { EVERYBODY, principalTopic, SessionTopics, sessionTopic } from "../shared/topics.ts";
import { FACADE_OWNER } from "./facade-owner.ts";
import { type Broadcaster, broadcasts } from "./broadcast.ts";
import { SessionAudience, SessionGroup } from "./groups.ts";
import { type AnyServerOptions, SERVE_SESSIONS_RULES, type ServeSessionsOptions } from "./options.ts";
import { CLOSE_SESSIONS_RULES, LEAVING, leaveSessions, turnsMsOf } from "./leave-sessions.ts";
import { connectionsOf, sessionFamilies } from "./metrics.ts";
import { type JournalingOwner, SessionJournaling } from "./journaling.ts";
import { lastGuests } from "./last-guests.ts";
import { type ReceptionOwner, type SessionOrder, SessionReception } from "./reception.ts";
import { newId, SessionRegistry } from "./registry.ts";
import { SPREAD_MS_PER_SESSION } from "./stall.ts";
import type * as api from "./public.ts";
import type { CloseSessionsOptions, SessionServerStats } from "./public.ts";

/** Serves a contract over `network`; see the public `serveSessions`, whose own options have more `rules`. */
export async function serveSessionsOver<Server extends Methods, Client extends Methods, Data>(
  network: Network,
  contract: Contract<Server, Client>,
  address: AddressLike,
  given: ServeSessionsOptions<Server, Client, Data>,
  rules: OptionRules = SERVE_SESSIONS_RULES,
): Promise<api.SessionServer<Client, Data>> {
  checkContract("serveSessions", contract);
  const options = checkOptions({ op: "serveSessions" }, given, rules);
  checkSessionAddress("serveSessions", address, "serveStateless");
  const server = new SessionServer(network, contract, options as unknown as AnyServerOptions);
  try {
    await server.open(address);
  } catch (error) {
    await server.leaveJournal(Promise.resolve());
    throw error;
  }
  return server as unknown as api.SessionServer<Client, Data>;
}

/** The one implementation of the public `SessionServer`. */
export class SessionServer implements EndpointOwner, ReceptionOwner, JournalingOwner, Broadcaster {
  readonly contract: Contract;
  readonly instance: string;
  readonly keptMs: number;
  readonly capabilities: Capabilities;
  readonly settings: EndpointSettings;
  readonly registry: SessionRegistry;
  readonly journaling: SessionJournaling | undefined;
  closing: Refusal | undefined;
  readonly #network: OwnNetwork;
  readonly #options: AnyServerOptions;
  readonly #reception: SessionReception;
  readonly topics: SessionTopics;
  readonly log: SharedLog | undefined;
  readonly remote: object;
  #listener: Listener<StreamSocket> | undefined;
  readonly #closing: GracefulClose<CloseReport, CloseSessionsOptions>;
  #droppedEvents = 0;
  readonly #counts = { opened: 0, resumed: 0, ended: 0, declined: 0 };

  constructor(network: Network, contract: Contract, options: AnyServerOptions) {
    this.contract = contract;
    this.#network = ownNetwork(network);
    this.#options = options;
    const { clock, random } = this.#network;
    this.instance = newId(random);
    const plan = new ContractPlan(contract, "server", options.validate, options.limits?.maxMessageValues);
    const peerProblems = new PeerProblems(clock, (error) => this.unkept(error, undefined));
    const handle: HandlingWithin = (...handled) => this.journaling?.starts.handle(...handled);
    const [schedule, within] = [new SessionSchedule(clock), options.journal && handle];
    this.settings = endpointSettings(options, { clock, schedule, peerProblems, plan, within });
    const { codecs, features, limits } = this.settings;
    this.capabilities = { contract, codecs, features, limits };
    // The welcome carries a whole number.
    const { resumeTimeoutMs = DEFAULT_KEPT_MS, store } = options.resume ?? {};
    this.keptMs = Math.min(Number.MAX_SAFE_INTEGER, Math.ceil(resumeTimeoutMs));
    this.registry = new SessionRegistry(this.instance, options.limits ?? {}, this.keptMs, store);
    this.journaling = options.journal && new SessionJournaling(options.journal, this, options.journalStallMs);
    this.#reception = new SessionReception(this, options);
    this.topics = new SessionTopics(plan, this.sessions);
    this.log = options.journal === undefined ? undefined : new SharedLog(options.journal, this);
    this.remote = broadcasts(this, EVERYBODY);
    this.#closing = new GracefulClose(
      clock,
      () => ({ op: "close", local: this.localAddress.toString() }),
      (given) => this.#close(given),
      CLOSE_SESSIONS_RULES,
    );
  }

  /** Opens the listener. */
  async open(address: AddressLike): Promise<void> {
    const options = this.#options;
    const settings = connectionSettings({ timeouts: { writeStallMs: options.timeouts?.writeStallMs } });
    await this.journaling?.open();
    await this.log?.open();
    const { maxUnauthenticated: maxHandshakes } = this.#reception;
    // In a handshake of TLS; silent or leaving; waiting for the answer.
    const { maxConnections = this.registry.maxSessions + 3 * maxHandshakes } = options.limits ?? {};
    this.#listener = await openListener(
      "serveSessions",
      this.#network,
      listenerAddress(address, "serveSessions"),
      { ...options, limits: { ...options.limits, maxConnections, maxHandshakes } },
      {
        create: (transport, announced) => new StreamSocket(this.#network, transport, settings, announced),
        deliver: (connection) => this.#reception.greet(connection),
        settled: () => this.#closing.look(),
      },
    );
    listChange(this, true);
  }

  /** What was said is written, as far as the store is there by then. */
  async leaveJournal(expired: Promise<unknown>): Promise<void> {
    await this.log?.close(expired);
    await this.journaling?.close();
  }

  get random(): Random {
    return this.#network.random;
  }
  get sessions(): ReadonlyMap<string, SessionFacade> {
    return this.registry.sessions;
  }
  get listener(): Listener<StreamSocket> {
    return this.#listener as Listener<StreamSocket>;
  }
  get localAddress(): Address {
    return this.listener.localAddress;
  }
  get stats(): SessionServerStats {
    return { ...this.counters, detached: this.detachedCount };
  }
  /** Looks at each session. */
  get detachedCount(): number {
    let detached = 0;
    for (const session of this.sessions.values()) if (session.state === "detached") detached += 1;
    return detached;
  }
  /** What is known without a look at each session. */
  get counters(): Omit<SessionServerStats, "detached"> {
    return {
      ...this.#counts,
      sessions: this.sessions.size,
      unauthenticated: this.#reception.size + this.listener.stats.handshakes,
      heldBytes: this.registry.heldBytes,
      listener: this.listener.stats,
    };
  }

  async metrics(): Promise<string> {
    return openMetricsText(this.families());
  }
  families(): readonly MetricFamily[] {
    return [
      serverFamily(this.contract),
      ...this.listener.families(connectionsOf(this.sessions)),
      ...sessionFamilies(this.sessions, this.stats, this.#droppedEvents),
      ...(this.settings.watch.metrics?.families() ?? []),
    ];
  }

  group(name: string): SessionGroup {
    if (!(#counts in Object(this))) throw unbound("server", "group");
    return new SessionGroup(this, name);
  }
  session(id: string): SessionAudience {
    if (!(#counts in Object(this))) throw unbound("server", "session");
    return new SessionAudience(this, "session", id, sessionTopic);
  }
  principal(name: string): SessionAudience {
    if (!(#counts in Object(this))) throw unbound("server", "principal");
    return new SessionAudience(this, "principal", name, principalTopic);
  }

  get draining(): AbortSignal {
    return this.#closing.draining;
  }
  get closed(): Promise<ServerEnd> {
    return this.#closing.closed;
  }
  async close(options?: CloseSessionsOptions): Promise<CloseReport> {
    if (!(#counts in Object(this))) throw unbound("server", "close");
    return await this.#closing.close(options);
  }
  abort(reason?: unknown): void {
    if (!(#counts in Object(this))) throw unbound("server", "abort");
    this.#closing.abort(reason);
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  setTls(options: TlsOptions): void {
    this.listener.setTls(options);
  }
  get interop(): NativeInterop {
    return serverInterop(this.#network.clock, this.listener.interop);
  }

  // What the reception asks for, and tells.

  create(order: SessionOrder): SessionFacade {
    const { id, principal, agreement, data, addressKey, taken } = order;
    const kept = taken?.stored.session;
    const endpoint = new SessionEndpoint(this.settings, this, { id, agreement, keptMs: this.keptMs, kept });
    const session = new SessionFacade({
      owner: FACADE_OWNER,
      endpoint,
      principal,
      data,
      remote: undefined,
      announcement: undefined,
      closing: undefined,
      epoch: taken?.record.epoch ?? 1,
      since: taken?.stored.since ?? this.log?.place ?? 0,
      opened: taken?.stored.opened ?? false,
      changes: 0,
      referenced: true,
      addressKey,
    });
    endpoint.session = session;
    if (endpoint.terms.machine.journaled === true) this.journaling?.add(session, taken);
    this.topics.begin(session, taken?.stored.groups ?? []);
    return session;
  }

  discard(session: SessionFacade): void {
    const detail = "its client never heard of it";
    partsOf(session).endpoint.abort(new ConnectionError("SESSION_LOST", { op: "session", detail }));
  }

  // What the journal asks for.

  get clock(): Clock {
    return this.settings.clock;
  }
  recordOf(id: string): SessionRecord | undefined {
    return this.registry.recordOf(id);
  }
  missed(session: SessionFacade): void {
    this.registry.abandon(session.id, "place-unknown");
  }
  pumped(endpoint: SessionEndpoint): void {
    this.log?.pumped(sessionOf(endpoint));
    this.journaling?.pumped(sessionOf(endpoint));
  }

  declined(connection: StreamSocket, error: ZocaloError | undefined): void {
    this.#counts.declined += 1;
    if (error === undefined || (isPeersFault(error) && !this.settings.peerProblems.admit())) return;
    this.undecided(connection, error);
  }

  undecided(connection: StreamSocket, error: unknown): void {
    const { local, remote } = connection.context("handshake");
    this.unkept(error, undefined, local, remote);
  }

  // What the sessions tell.

  attached(endpoint: SessionEndpoint, resumed: boolean, replayed: number): void {
    const session = sessionOf(endpoint);
    tellAttached(session);
    this.registry.attached(session);
    const { onOpen, onResume } = this.#options;
    const parts = partsOf(session);
    if (resumed || parts.opened) {
      this.#counts.resumed += 1;
      this.#tell(endpoint, () => onResume?.(session as never, { replayed }, this as never));
    } else {
      this.#counts.opened += 1;
      parts.opened = true;
      parts.changes += 1;
      this.#tell(endpoint, () => onOpen?.(session as never, this as never));
    }
  }

  confirmed(endpoint: SessionEndpoint): void {
    this.registry.confirmed(sessionOf(endpoint));
  }

  detached(endpoint: SessionEndpoint): void {
    this.registry.detached(sessionOf(endpoint), endpoint.now());
  }

  leaving(endpoint: SessionEndpoint, survives: boolean): void {
    // The client makes another connection.
    if (survives) endpoint.disconnect(false);
  }

  holds(endpoint: SessionEndpoint, bytes: number): void {
    this.registry.holds(sessionOf(endpoint), bytes);
  }

  ended(endpoint: SessionEndpoint): void {
    const session = sessionOf(endpoint);
    this.topics.ended(session);
    // Who comes back to a server that is leaving is sent to the next one.
    if (this.closing === undefined) this.registry.ended(session, endpoint.now());
  }

  finished(endpoint: SessionEndpoint, end: SessionEnd): void {
    const session = sessionOf(endpoint);
    this.#droppedEvents += endpoint.counts.droppedEvents;
    this.registry.finished(session);
    this.log?.ended(session);
    this.journaling?.ended(session, end.error?.code !== "SESSION_MOVED");
    tellEnd(session, end);
    // Of one that never had a connection, here or elsewhere, the program was not told either.
    if (endpoint.place === undefined && partsOf(session).epoch === 1) return;
    this.#counts.ended += 1;
    this.#tell(endpoint, () => this.#options.onClose?.(session as never, end, this as never));
  }

  gapBehind(): undefined {
    return undefined;
  }

  problem(endpoint: SessionEndpoint, error: unknown): void {
    if (saysThatItCloses(error, endpoint, this.draining)) return;
    const { local, remote } = endpoint.context("session");
    this.unkept(error, sessionOf(endpoint), local, remote);
  }

  /** Calls a function of the program; what it throws is told like everything that nobody awaits. */
  #tell(endpoint: SessionEndpoint, callback: () => unknown): void {
    callProgram(callback, (error) => this.problem(endpoint, error));
  }

  unkept(error: unknown, session: SessionFacade | undefined, local?: string, remote?: string): void {
    reportProblem(error, { kind: "stream", local, remote }, () => this.#options.onError?.(error, session as never));
  }

  async #close(options: CloseSessionsOptions): Promise<CloseReport> {
    const { isShared } = this.listener; // clients come to the next server, which is there already
    if (isShared) await lastGuests(this.#reception, this.listener, this.#network.clock, this.#closing);
    const leaving = [...this.sessions.values()];
    const { reconnectSpreadMs = leaving.length * SPREAD_MS_PER_SESSION } = options;
    const { reconnectSpreadMs: turnsMs = turnsMsOf(leaving.length, options) } = options;
    const { random } = this.#network;
    const retryAfterMs = (): number => Math.ceil(random.next() * reconnectSpreadMs);
    const refusal: Refusal = { code: "SERVER_BUSY", message: LEAVING, retryAfterMs: retryAfterMs() };
    this.closing = refusal;
    let closing: Promise<void> | undefined;
    const shut = (): void => {
      closing ??= this.listener.close();
      this.#reception.close(refusal);
    };
    if (isShared) shut();
    const { clock, journaling } = this;
    const times = { turnsMs, retryAfterMs };
    const cut = await leaveSessions(leaving, { clock, closing: this.#closing, journaling, ...times, idle: shut });
    await Promise.all([closing, this.#reception.end()]);
    await this.leaveJournal(this.#closing.expired);
    this.settings.peerProblems.close();
    return { finished: leaving.length - cut, cut, durationMs: this.#closing.durationMs };
  }
}
showAs(SessionServer, "SessionServer", ({ contract: { name, version }, localAddress, stats }) => {
  return { contract: `${name} ${version}`, localAddress, stats };
});

function sessionOf(endpoint: SessionEndpoint): SessionFacade {
  return endpoint.session as SessionFacade;
}

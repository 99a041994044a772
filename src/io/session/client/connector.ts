/** The way of a client to its server: one attempt after the other, with pauses that are drawn at random. */

import type { Address } from "../../../core/address/address.ts";
import { ConnectionError, type ErrorCode, ZocaloError } from "../../../core/errors.ts";
import {
  ClientHandshake,
  type ClientHandshakeEvent,
  type ClientHandshakeOptions,
} from "../../../core/handshake/client-handshake.ts";
import type { Capabilities } from "../../../core/handshake/negotiate.ts";
import { type Backoff, BackoffPauses, type BackoffTimes } from "../../../core/options/backoff.ts";
import { type ConnectOptions, DEFAULT_CONNECT_MS, openConnection } from "../../stream/connect.ts";
import type { StreamSocket } from "../../stream/socket.ts";
import { Deadline, expiryReason } from "../../operation/deadline.ts";
import type { Network, Timer } from "../../network/network.ts";
import { mayMend, withRetry } from "../../operation/retry.ts";
import type { Reconnection } from "../end.ts";
import { ServerRounds } from "./addresses.ts";
import { askProgram, introduce, type Welcomed } from "./introduction.ts";
import type { EndpointSettings } from "../settings.ts";

/**
 * A connection that is lost so soon counts as an attempt that failed, from the second one in a row on: a server that takes all
 * clients in and loses them at once is not to have them back ten times a second.
 */
const BRIEF_MS = 1000;

/**
 * A server that does not answer may hold up the way to the next one for so long in the first round; in each round that follows, for
 * twice as long, up to the time of a connection.
 */
const PATIENCE_MS = 2000;

/** After these there is no use in trying again, nor another server. */
const FINAL: ReadonlySet<ErrorCode> = new Set([
  "CONTRACT_UNKNOWN",
  "VERSION_UNSUPPORTED",
  "CODEC_UNSUPPORTED",
  "UNAUTHENTICATED",
  "HANDSHAKE_INVALID",
  "PROTOCOL_MISMATCH",
  "SESSION_TAKEN_OVER",
  "ADDRESS_INVALID",
  "OPTION_INVALID",
  "UNSUPPORTED",
]);

/** What `retry` waits for behind the connection: the end of a proxy that is up before its server, silence, a full server. */
const NOT_READY_YET: ReadonlySet<ErrorCode> = new Set(["END_OF_STREAM", "TIMEOUT", "SERVER_BUSY"]);

/** What a hello asks to continue; empty for a new session. */
export type Resumption = Pick<ClientHandshakeOptions, "resume" | "resumeUnder">;

/** What a connector needs of its owner, the client. */
export interface ConnectorOwner {
  /** What the hello asks to continue; asked for each attempt. */
  resumption(): Resumption;
  /** Whether it still has what the server continues: its time may have run out while the server made up its mind. */
  mayContinue(): boolean;
  /** There is a connection. Called inside the arrival of the welcome: the session takes the connection at once. `elsewhere`: it is another server than before. */
  welcomed(connection: StreamSocket, answer: Welcomed, elsewhere: boolean): void;
  /** Waits for the next attempt, or begins it. */
  reconnecting(): void;
  /** An attempt failed; another one follows. `isNew`: it is the first of this outage that is no error of the network. */
  attemptFailed(error: unknown, isNew: boolean): void;
  /** The time for attempts is up; `error` is what the last one came to. */
  gaveUp(error: unknown): void;
  /** There is no use in trying any more: the server has refused the client for good, or is none. */
  refused(error: ZocaloError): void;
}

/** The defaults of `reconnect`. The first pause only keeps clients that lose a server together from asking in the same moment. */
const RECONNECT_TIMES: BackoffTimes = { initialDelayMs: 30, maxDelayMs: 10_000, timeoutMs: 300_000 };

/** What the attempts have in common. */
export interface ConnectorOptions {
  /** Of all servers. */
  readonly addresses: readonly Address[];
  readonly capabilities: Capabilities;
  readonly settings: EndpointSettings;
  readonly auth: unknown;
  /** Of the first session only. */
  readonly opening: Pick<ConnectOptions, "retry" | "timeoutMs">;
  /** Of each connection. */
  readonly connect: ConnectOptions;
  readonly reconnect: Backoff;
}

/** Connects a client, again and again. */
export class SessionConnector {
  readonly #network: Network;
  readonly #owner: ConnectorOwner;
  readonly #options: ConnectorOptions;
  readonly #servers: ServerRounds;
  /** The pauses before the next connection; undefined while there is one. */
  #backoff: BackoffPauses | undefined;
  /** When the last connection was there, and how many in a row did not last. */
  #arrivedAt = 0;
  #briefCount = 0;
  /** The servers of this round have asked to wait so long. */
  #retryAfterMs = 0;
  /** The server that leaves has said when the client comes back: nothing is drawn for the first attempt. */
  #isTold = false;
  #pause: Timer | undefined;
  #attempt: AbortController | undefined;
  /** Of this outage. */
  #attempts = 0;
  #nextAt = 0;
  #lastError: unknown;
  #toldError = false;
  #stopped = false;

  constructor(network: Network, owner: ConnectorOwner, options: ConnectorOptions) {
    this.#network = network;
    this.#owner = owner;
    this.#options = options;
    this.#servers = new ServerRounds(options.addresses);
  }

  /** Makes the first connection. Rejects when that fails. */
  async open(signal: AbortSignal | undefined): Promise<void> {
    const { retry, timeoutMs } = this.#options.opening;
    const { clock } = this.#network;
    const limits = { signal, timeoutMs: timeoutMs ?? DEFAULT_CONNECT_MS };
    const endsAt = clock.now() + limits.timeoutMs;
    const pausing = new AbortController();
    const deadline = new Deadline(clock, limits, (cause) => {
      const remote = this.#servers.first.toString();
      pausing.abort(expiryReason(cause, { op: "connect", remote }, "none"));
    });
    const round = (): Promise<void> => this.#tryAll(endsAt, signal, timeoutMs === undefined ? Infinity : endsAt);
    try {
      await withRetry(this.#network, retry, pausing.signal, round, {
        when: (error) => mayMend(error) || NOT_READY_YET.has(error.code),
        atLeastMs: () => this.#takeRetryAfter(),
      });
    } finally {
      deadline.cancel();
    }
  }

  /** Tries each server once, until one takes the client. */
  async #tryAll(endsAt: number, signal: AbortSignal | undefined, openingEndsAt: number): Promise<void> {
    const { clock, random } = this.#network;
    const servers = this.#servers;
    servers.begin(random, false, clock.now());
    for (;;) {
      const server = servers.next();
      const now = clock.now();
      try {
        await this.#connect(server, Math.ceil(endsAt - now), signal, openingEndsAt);
        return;
      } catch (error) {
        if (!(error instanceof ZocaloError) || FINAL.has(error.code) || signal?.aborted === true) throw error;
        servers.failed(server, now, error);
        if (!servers.goesOn || clock.now() >= endsAt) throw servers.summary(error);
      }
    }
  }

  /** The server leaves, and wants that the client waits before it comes back. */
  serverLeaves(retryAfterMs: number): void {
    this.#servers.leaves();
    this.#retryAfterMs = retryAfterMs;
    this.#isTold = true;
  }

  /** What it does about a connection that is lost. */
  get reconnection(): Reconnection | undefined {
    if (this.#backoff === undefined || this.#stopped) return undefined;
    const nextAttemptInMs = Math.max(0, this.#nextAt - this.#network.clock.now());
    const phase = this.#pause === undefined ? "connecting" : "waiting";
    return { phase, attempt: this.#attempts, nextAttemptInMs, lastError: this.#lastError };
  }

  /** The connection is lost: makes another one. */
  reconnect(): void {
    if (this.#backoff !== undefined) return;
    this.#attempts = 0;
    this.#lastError = undefined;
    this.#toldError = false;
    const now = this.#network.clock.now();
    const brief = now - this.#arrivedAt < BRIEF_MS;
    const failures = brief ? this.#briefCount : 0;
    this.#backoff = new BackoffPauses(this.#options.reconnect, RECONNECT_TIMES, now, failures);
    this.#briefCount = brief ? failures + 1 : 0;
    this.#isTold &&= failures === 0;
    this.#schedule(undefined);
  }

  /** Makes no connection any more. */
  stop(): void {
    this.#stopped = true;
    this.#pause?.cancel();
    this.#attempt?.abort();
  }

  /** The next server of the round at once, or another round after a pause. */
  #schedule(error: unknown): void {
    // A program may end its session when it is told that the connection, or an attempt, is lost.
    if (this.#stopped) return;
    const { clock, random } = this.#network;
    const drawn = this.#isTold ? 0 : random.next();
    this.#isTold = false;
    const delayMs = this.#servers.goesOn ? 0 : this.#backoff?.next(clock.now(), drawn, this.#takeRetryAfter());
    if (delayMs === undefined) {
      this.#owner.gaveUp(error instanceof ZocaloError ? this.#servers.summary(error) : error);
      return;
    }
    this.#attempts += 1;
    this.#nextAt = clock.now() + delayMs;
    this.#pause = clock.setTimer(() => void this.#tryAgain(), delayMs);
    this.#owner.reconnecting();
  }

  /** How long the server has asked to wait before the next attempt. */
  #takeRetryAfter(): number {
    const retryAfterMs = this.#retryAfterMs;
    this.#retryAfterMs = 0;
    return retryAfterMs;
  }

  async #tryAgain(): Promise<void> {
    this.#pause = undefined;
    this.#owner.reconnecting();
    if (this.#stopped) return;
    const { clock, random } = this.#network;
    const servers = this.#servers;
    if (!servers.goesOn) servers.begin(random, this.#owner.mayContinue(), clock.now());
    const server = servers.next();
    const startedAt = clock.now();
    try {
      await this.#connect(server, DEFAULT_CONNECT_MS, undefined, Infinity);
    } catch (error) {
      if (this.#attempt?.signal.aborted === true) return;
      if (error instanceof ZocaloError && FINAL.has(error.code)) this.#owner.refused(error);
      else {
        this.#lastError = error;
        const isNew = !(error instanceof ZocaloError) && !this.#toldError;
        this.#toldError ||= isNew;
        this.#owner.attemptFailed(error, isNew);
        if (error instanceof ZocaloError) servers.failed(server, startedAt, error);
        this.#schedule(error);
      }
    }
  }

  /** One attempt: the connection, and the handshake on it, which is over at `openingEndsAt` in any case. */
  async #connect(
    target: Address,
    restMs: number,
    signal: AbortSignal | undefined,
    openingEndsAt: number,
  ): Promise<void> {
    const attempt = new AbortController();
    this.#attempt = attempt;
    const stop = signal === undefined ? attempt.signal : AbortSignal.any([attempt.signal, signal]);
    const { auth, connect, settings } = this.#options;
    const { clock } = this.#network;
    const { isOne, before } = this.#servers;
    const patienceMs = isOne ? Infinity : PATIENCE_MS * 2 ** before;
    const timeoutMs = Math.min(restMs, patienceMs);
    const connection = await openConnection(this.#network, target, { ...connect, timeoutMs, signal: stop });
    // A server that is stopped still takes connections. A new client has no other round, and may have to wait for `authenticate`.
    const handshakeMs = this.#backoff === undefined ? settings.handshakeMs : Math.min(settings.handshakeMs, patienceMs);
    const endsAt = Math.min(openingEndsAt, clock.now() + handshakeMs);
    let machine: ClientHandshake;
    try {
      const credentials =
        typeof auth === "function" ? await askProgram(auth as () => unknown, connection, clock, stop, endsAt) : auth;
      machine = this.#handshake(credentials, endsAt);
    } catch (error) {
      connection.abort();
      throw error;
    }
    await introduce(connection, machine, settings, stop, (answer) => this.#answered(target, connection, answer));
  }

  #handshake(auth: unknown, endsAt: number): ClientHandshake {
    const { capabilities, settings } = this.#options;
    const now = settings.clock.now();
    const timeoutMs = Math.max(0, Math.ceil(endsAt - now));
    return new ClientHandshake(capabilities, now, { auth, ...this.#owner.resumption(), timeoutMs });
  }

  #answered(target: Address, connection: StreamSocket, answer: ClientHandshakeEvent): void {
    if (answer.type === "refused") this.#retryAfterMs = Math.max(this.#retryAfterMs, answer.retryAfterMs ?? 0);
    if (answer.type !== "welcome") return;
    if (answer.welcome.received !== undefined && !this.#owner.mayContinue()) throw tooLate(connection);
    this.#arrivedAt = this.#network.clock.now();
    this.#backoff = undefined;
    this.#retryAfterMs = 0;
    const elsewhere = this.#servers.arrived(target);
    this.#owner.welcomed(connection, answer, elsewhere);
  }
}

/** The two sides do not count from the same number any more: the next hello asks for a new session. */
function tooLate(connection: StreamSocket): ConnectionError {
  const detail = "the server continues a session that is over here: its answer took too long";
  return new ConnectionError("SESSION_LOST", { ...connection.context("handshake"), detail, outcome: "none" });
}

/** The handshake of a server on one connection. */

import type { Address } from "../core/address/address.ts";
import type { ZocaloError } from "../core/errors.ts";
import type { Hello, Refusal, Welcome } from "../core/handshake/hello.ts";
import { ServerHandshake } from "../core/handshake/server-handshake.ts";
import type { Connection } from "./connection.ts";
import type { InboundConsumer } from "./inbound.ts";
import type { Clock } from "./network.ts";
import type { Scheduled, SessionSchedule } from "./session-schedule.ts";

const NO_BYTES: Uint8Array = new Uint8Array(0);
const ignore = (): void => undefined;

/** Whoever decides about clients. */
export interface Receptionist {
  /** The client has introduced itself: answer with `welcome` or `refuse`. */
  introduced(greeting: ServerGreeting, hello: Hello): void;
  /** There will be no session on this connection. */
  declined(greeting: ServerGreeting, error: ZocaloError | undefined): void;
}

/** A connection that has no session yet. */
export class ServerGreeting implements InboundConsumer, Scheduled {
  readonly connection: Connection;
  dueAt: number = Infinity;
  heapIndex = -1;
  readonly #owner: Receptionist;
  readonly #clock: Clock;
  readonly #schedule: SessionSchedule;
  readonly #machine: ServerHandshake;
  /** The answer is given, or there is none to give. */
  #over = false;
  #deciding = false;

  constructor(
    connection: Connection,
    owner: Receptionist,
    common: { readonly clock: Clock; readonly schedule: SessionSchedule; readonly handshakeTimeoutMs: number },
  ) {
    this.connection = connection;
    this.#owner = owner;
    this.#clock = common.clock;
    this.#schedule = common.schedule;
    this.#machine = new ServerHandshake(common.clock.now(), { timeoutMs: common.handshakeTimeoutMs });
    this.#schedule.expect(this, this.#machine.nextDeadline());
  }

  /** Begins to read. */
  start(): void {
    this.connection.inbound.attach(this, "handshake");
  }

  /** Whether the client still waits for an answer. */
  get isOpen(): boolean {
    return !this.#over;
  }

  /** Whether the client has introduced itself and waits for an answer. */
  get isDeciding(): boolean {
    return !this.#over && this.#deciding;
  }

  get remoteAddress(): Address {
    return this.connection.remoteAddress;
  }

  /** Takes the client; its connection is the session's from now on. */
  welcome(welcome: Welcome): void {
    this.#machine.welcome(welcome);
    this.#write();
    this.#finish();
  }

  /** Does not take the client. */
  refuse(refusal: Refusal): void {
    if (this.#over) return;
    this.#machine.refuse(refusal);
    this.#leave();
    this.#owner.declined(this, undefined);
  }

  /** Resets the connection: it has to make room. */
  evict(): void {
    if (this.#over) return;
    this.#finish();
    this.connection.abort();
    this.#owner.declined(this, undefined);
  }

  onDue(): void {
    this.#machine.onDeadline(this.#clock.now());
    this.#look();
  }

  onEndOfTurn(): void {}

  received(view: Uint8Array): number {
    this.#machine.receive(view, 0, view.length);
    this.#look();
    return view.length;
  }

  ended(): void {
    this.#machine.end();
    this.#look();
  }

  failed(error: ZocaloError): void {
    if (this.#over) return;
    this.#finish();
    this.#owner.declined(this, error);
  }

  #look(): void {
    const event = this.#over ? undefined : this.#machine.nextEvent();
    if (event?.type === "hello") {
      this.#deciding = true;
      this.#owner.introduced(this, event.hello);
    } else if (event !== undefined) {
      this.#leave();
      this.#owner.declined(this, event.error);
    } else if (!this.#over) this.#schedule.expect(this, this.#machine.nextDeadline());
  }

  /** Says what is to be said, and closes so that it arrives. */
  #leave(): void {
    this.#write();
    this.#finish();
    this.connection.close().catch(ignore);
  }

  #write(): void {
    const chunks = this.#machine.output();
    if (chunks.length > 0) this.connection.write(chunks).catch(ignore);
  }

  #finish(): void {
    this.#over = true;
    this.#schedule.forget(this);
    this.connection.inbound.detach(NO_BYTES);
  }
}

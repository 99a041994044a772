/** The handshake of a server on one connection. */

import type { Address } from "../core/address/address.ts";
import type { ZocaloError } from "../core/errors.ts";
import type { Hello, Refusal, Welcome } from "../core/handshake/hello.ts";
import { ServerHandshake } from "../core/handshake/server-handshake.ts";
import type { Connection } from "./connection.ts";
import { type HandshakeTimes, SessionHandshake } from "./session-handshake.ts";

const ignore = (): void => undefined;

/** Whoever decides about clients. */
export interface Receptionist {
  /** The client has introduced itself: answer with `welcome` or `refuse`. */
  introduced(greeting: ServerGreeting, hello: Hello): void;
  /** There will be no session on this connection. */
  declined(greeting: ServerGreeting, error: ZocaloError | undefined): void;
}

/** A connection that has no session yet. */
export class ServerGreeting extends SessionHandshake<ServerHandshake> {
  readonly #owner: Receptionist;
  #deciding = false;

  constructor(
    connection: Connection,
    owner: Receptionist,
    common: HandshakeTimes & { readonly handshakeTimeoutMs: number },
  ) {
    super(connection, new ServerHandshake(common.clock.now(), { timeoutMs: common.handshakeTimeoutMs }), common);
    this.#owner = owner;
  }

  /** Whether the client still waits for an answer. */
  get isOpen(): boolean {
    return !this.isOver;
  }

  /** Whether the client has introduced itself and waits for an answer. */
  get isDeciding(): boolean {
    return !this.isOver && this.#deciding;
  }

  get remoteAddress(): Address {
    return this.connection.remoteAddress;
  }

  /** Takes the client; its connection is the session's from now on, or is closed behind `words`. */
  welcome(welcome: Welcome, words?: Uint8Array): void {
    this.machine.welcome(welcome);
    this.#write();
    if (words !== undefined) this.connection.write(words).catch(ignore);
    this.finish();
    if (words !== undefined) this.connection.close().catch(ignore);
  }

  /** Does not take the client. */
  refuse(refusal: Refusal): void {
    if (this.isOver) return;
    this.machine.refuse(refusal);
    this.#leave();
    this.#owner.declined(this, undefined);
  }

  /** Resets the connection: it has to make room. */
  evict(): void {
    if (this.isOver) return;
    this.finish();
    this.connection.abort();
    this.#owner.declined(this, undefined);
  }

  override failed(error: ZocaloError): void {
    if (this.isOver) return;
    this.finish();
    this.#owner.declined(this, error);
  }

  protected override look(): void {
    const event = this.isOver ? undefined : this.machine.nextEvent();
    if (event?.type === "hello") {
      this.#deciding = true;
      this.#owner.introduced(this, event.hello);
    } else if (event !== undefined) {
      this.#leave();
      this.#owner.declined(this, event.error);
    } else if (!this.isOver) this.expectDeadline();
  }

  /** Says what is to be said, and closes so that it arrives. */
  #leave(): void {
    this.#write();
    this.finish();
    this.connection.close().catch(ignore);
  }

  #write(): void {
    const chunks = this.machine.output();
    if (chunks.length > 0) this.connection.write(chunks).catch(ignore);
  }
}

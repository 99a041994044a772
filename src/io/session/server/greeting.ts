/** The handshake of a server on one connection. */

import type { Address } from "../../../core/address/address.ts";
import type { ZocaloError } from "../../../core/errors.ts";
import type { Hello, Refusal, Welcome } from "../../../core/handshake/hello.ts";
import { ServerHandshake } from "../../../core/handshake/server-handshake.ts";
import type { StreamSocket } from "../../stream/socket.ts";
import { type HandshakeTimes, SessionHandshake } from "../endpoint/handshake.ts";
import type { CloseOptions } from "../../stream/end.ts";

/** A client that is not taken has its answer in a round trip, and holds its place no longer than that needs. */
const FAREWELL: CloseOptions = { lingerMs: 500, maxLingerMs: 2000, lingerBytes: 65_536 };
const ignore = (): void => undefined;

/** What a greeting needs of its owner, who decides about clients. */
export interface GreetingOwner {
  /** The client has introduced itself: answer with `welcome` or `refuse`. */
  introduced(greeting: ServerGreeting, hello: Hello): void;
  /** There will be no session on this connection. */
  declined(greeting: ServerGreeting, error: ZocaloError | undefined): void;
  /** The connection is closed behind what was said to a client that was not taken. */
  gone(greeting: ServerGreeting): void;
}

/** A connection that has no session yet. */
export class ServerGreeting extends SessionHandshake<ServerHandshake> {
  readonly #owner: GreetingOwner;
  #leaving = false;

  constructor(
    connection: StreamSocket,
    owner: GreetingOwner,
    common: HandshakeTimes & { readonly handshakeMs: number },
  ) {
    super(connection, new ServerHandshake(common.clock.now(), { timeoutMs: common.handshakeMs }), common);
    this.#owner = owner;
  }

  /** Whether the client still waits for an answer. */
  get isOpen(): boolean {
    return !this.isOver;
  }

  /** Whether it has its answer, and is being closed. */
  get isLeaving(): boolean {
    return this.#leaving;
  }

  get remoteAddress(): Address {
    return this.connection.remoteAddress;
  }

  /** Takes the client; its connection is the session's from now on, or is closed behind `words`. */
  welcome(welcome: Welcome, words?: Uint8Array): void {
    this.machine.welcome(welcome);
    this.#write();
    if (words === undefined) this.finish();
    else {
      this.connection.write(words).catch(ignore);
      this.#leave();
    }
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
    if (this.#leaving) {
      this.connection.abort();
      this.#owner.gone(this);
    }
    if (this.isOver) return;
    this.finish();
    this.connection.abort();
    this.#owner.declined(this, undefined);
  }

  override broken(error: ZocaloError): void {
    if (this.isOver) return;
    this.finish();
    this.#owner.declined(this, error);
  }

  protected override look(): void {
    const event = this.isOver ? undefined : this.machine.nextEvent();
    if (event?.type === "hello") {
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
    this.#leaving = true;
    const closed = this.connection.close(FAREWELL).catch(ignore);
    void closed.then(() => this.#owner.gone(this));
  }

  #write(): void {
    const chunks = this.machine.output();
    if (chunks.length > 0) this.connection.write(chunks).catch(ignore);
  }
}

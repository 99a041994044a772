/** The connection of a session: what is written to it, and when the next piece may follow. */

import type { Address } from "../../../core/address/address.ts";
import type { Session } from "../../../core/session/session.ts";
import type { StreamSocket } from "../../stream/socket.ts";
import type { OperationContext } from "../../operation/deadline.ts";

/** Up to so many bytes are gathered before they are written. */
const JOINED_BYTES = 4096;
/** So long the last words of a session may take to reach the kernel, as when a socket is closed (docs/semantics.md, rule A2). */
export const LAST_WORDS_MS = 2000;
const NO_BYTES: Uint8Array = new Uint8Array(0);
const ignore = (): void => undefined;

/** Told when the kernel has taken what was written. */
export interface LinkOwner {
  pump(): void;
}

/** Where a connection leads. */
export interface ConnectionPlace {
  readonly localAddress: Address;
  readonly remoteAddress: Address;
  context(op: string): OperationContext;
}

/** Where a connection led that is over, without what it pins: sessions wait for the next one by the thousand. */
class PastPlace implements ConnectionPlace {
  readonly localAddress: Address;
  readonly remoteAddress: Address;

  constructor({ localAddress, remoteAddress }: StreamSocket) {
    this.localAddress = localAddress;
    this.remoteAddress = remoteAddress;
  }

  context(op: string): OperationContext {
    return { op, local: this.localAddress.toString(), remote: this.remoteAddress.toString() };
  }
}

/** One connection after the other. */
export class SessionLink {
  /** The connection of now; after its end, until the session has another one, undefined. */
  connection: StreamSocket | undefined;
  /** Where the one before led, of a session that has none now. */
  #past: PastPlace | undefined;
  /** Whether it is in use. */
  connected = false;
  /** The kernel has not taken all: nothing may be written before. */
  writing = false;
  /** How far that was when it was looked at last. */
  #progress = 0;

  /** Where the last connection leads, or led. */
  get place(): ConnectionPlace | undefined {
    return this.connection ?? this.#past;
  }

  /** Uses a connection from now on. */
  take(connection: StreamSocket): void {
    this.#past = undefined;
    this.connection = connection;
    this.connected = true;
    this.writing = false;
  }

  /** Lets go of the connection; answers it if it was in use. */
  release(): StreamSocket | undefined {
    if (!this.connected) return undefined;
    this.connected = false;
    this.connection?.inbound.detach(NO_BYTES);
    return this.connection;
  }

  /** The session waits for another connection: forgets all of the one before but where it led. */
  forget(): void {
    if (this.connection !== undefined) this.#past = new PastPlace(this.connection);
    this.connection = undefined;
  }

  /** Lets go of the connection and closes it behind what was written. `lastWords` are written before. */
  close(lastWords?: Uint8Array): void {
    const connection = this.release();
    if (connection === undefined) return;
    if (lastWords !== undefined && connection.outbound.state === "open") connection.write(lastWords).catch(ignore);
    connection.close().catch(ignore);
  }

  /** Nothing follows what was written; the answer of the peer may still come. */
  finish(): void {
    if (this.connected) this.connection?.end().catch(ignore);
  }

  /** Writes what a session has to send, as long as the kernel takes it. Answers whether it has; if not, `owner` is told later. */
  write(machine: Session, now: number, owner: LinkOwner): boolean {
    if (!this.connected || this.writing) return !this.writing;
    const connection = this.connection as StreamSocket;
    const { outbound } = connection;
    while (outbound.state === "open") {
      const chunks = machine.output(now);
      if (chunks.length === 0) return true;
      const written = outbound.write(joined(chunks), undefined);
      if (!outbound.busy) continue;
      this.writing = true;
      this.#progress = outbound.progress;
      written.then(() => this.#written(connection, owner), ignore);
      return false;
    }
    return true;
  }

  /** Whether the kernel has taken more of what it had not taken, since the last look: it makes room as the peer takes bytes. */
  hasMoved(): boolean {
    if (!this.writing || this.connection === undefined) return false;
    const { progress } = this.connection.outbound;
    const moved = progress !== this.#progress;
    this.#progress = progress;
    return moved;
  }

  #written(connection: StreamSocket, owner: LinkOwner): void {
    if (this.connection !== connection) return;
    this.writing = false;
    owner.pump();
  }
}

/** Few bytes in many pieces as one: copying them is cheaper than handing over the pieces. */
function joined(chunks: readonly Uint8Array[]): Uint8Array | readonly Uint8Array[] {
  if (chunks.length === 1) return chunks[0] as Uint8Array;
  let bytes = 0;
  for (const chunk of chunks) bytes += chunk.length;
  return bytes <= JOINED_BYTES ? Buffer.concat(chunks, bytes) : chunks;
}

/** The connection of a session: what is written to it, and when the next piece may follow. */

import type { Address } from "../../../core/address/address.ts";
import type { Session } from "../../../core/session/session.ts";
import type { StateTable } from "../../../core/state-table.ts";
import type { StreamSocket } from "../../stream/socket.ts";
import type { OperationContext } from "../../operation/deadline.ts";

/** Up to so many bytes are gathered before they are written. */
const JOINED_BYTES = 4096;
/** So long the last words of a session may take to reach the kernel, as when a socket is closed (docs/semantics.md, rule A2). */
export const LAST_WORDS_MS = 2000;
const NO_BYTES: Uint8Array = new Uint8Array(0);
const ignore = (): void => undefined;

/** What a link needs of its owner, the session: to be told when the kernel has taken what was written. */
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

/**
 * - `none`: the session waits for a connection.
 * - `ready`: it has one, to which it may write.
 * - `writing`: the kernel has not taken all: nothing may be written before.
 * - `released`: the connection is not used any more, and known until the session is over or forgets it.
 */
export type LinkState = "none" | "ready" | "writing" | "released";

/** What can happen to it: the kernel takes less than all, takes the rest, ... */
export type LinkInput = "take" | "block" | "written" | "release" | "forget";

export const LINK_TABLE: StateTable<LinkState, LinkInput> = {
  none: { take: "ready" },
  ready: { block: "writing", release: "released" },
  writing: { written: "ready", release: "released" },
  released: { take: "ready", forget: "none" },
};

/** One connection after the other. */
export class SessionLink {
  /** Only `#enter` changes it. */
  state: LinkState = "none";
  /** Where the last connection leads, which is the connection itself; or led, for a session that has none now. */
  place: ConnectionPlace | undefined;
  /** How far that was when it was looked at last. */
  #progress = 0;

  /** Whether the connection is in use. */
  get connected(): boolean {
    return this.state === "ready" || this.state === "writing";
  }

  /** The connection; undefined where there is none. */
  get connection(): StreamSocket | undefined {
    return this.state === "none" ? undefined : (this.place as StreamSocket);
  }

  /** Uses a connection from now on. */
  take(connection: StreamSocket): void {
    this.#enter("take");
    this.place = connection;
  }

  /** Lets go of the connection; answers it if it was in use. */
  release(): StreamSocket | undefined {
    if (!this.#enter("release")) return undefined;
    this.connection?.inbound.detach(NO_BYTES);
    return this.connection;
  }

  /** The session waits for another connection: forgets all of the one before but where it led. */
  forget(): void {
    const { connection } = this;
    if (connection !== undefined && this.#enter("forget")) this.place = new PastPlace(connection);
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
    if (this.state !== "ready") return this.state !== "writing";
    const connection = this.connection as StreamSocket;
    const { outbound } = connection;
    while (outbound.state === "open") {
      const chunks = machine.output(now);
      if (chunks.length === 0) return true;
      const written = outbound.write(joined(chunks), undefined);
      if (!outbound.busy) continue;
      this.#enter("block");
      this.#progress = outbound.progress;
      written.then(() => this.#written(connection, owner), ignore);
      return false;
    }
    return true;
  }

  /** Whether the kernel has taken more of what it had not taken, since the last look: it makes room as the peer takes bytes. */
  hasMoved(): boolean {
    if (this.state !== "writing") return false;
    const { progress } = (this.connection as StreamSocket).outbound;
    const moved = progress !== this.#progress;
    this.#progress = progress;
    return moved;
  }

  #written(connection: StreamSocket, owner: LinkOwner): void {
    if (this.connection === connection && this.#enter("written")) owner.pump();
  }

  /** Changes the state; answers whether that is possible. */
  #enter(input: LinkInput): boolean {
    const next = LINK_TABLE[this.state][input];
    if (next !== undefined) this.state = next;
    return next !== undefined;
  }
}

/** Few bytes in many pieces as one: copying them is cheaper than handing over the pieces. */
function joined(chunks: readonly Uint8Array[]): Uint8Array | readonly Uint8Array[] {
  if (chunks.length === 1) return chunks[0] as Uint8Array;
  let bytes = 0;
  for (const chunk of chunks) bytes += chunk.length;
  return bytes <= JOINED_BYTES ? Buffer.concat(chunks, bytes) : chunks;
}

/** What is open in this process, kept weakly: the list that the inspector shows. */

import type { Clock } from "../io/network/network.ts";
import { DatagramServer } from "../io/datagram/serve.ts";
import { DatagramSocket } from "../io/datagram/socket.ts";
import { Listener } from "../io/listener/listener.ts";
import { Server } from "../io/listener/serve.ts";
import { watchList } from "../io/operation/diagnostics.ts";
import { SessionFacade } from "../io/session/endpoint/session.ts";
import { SessionServer } from "../io/session/server/serve.ts";
import { StreamSocket } from "../io/stream/socket.ts";
import { currentScope } from "../sim/guard/scope.ts";

/** A server of any kind, or a listener without one. */
export type AnyServer = SessionServer | Server | DatagramServer | Listener<StreamSocket>;

/** The lists, and what stands in each. */
export interface Lists {
  servers: AnyServer;
  sessions: SessionFacade;
  connections: StreamSocket;
  datagrams: DatagramSocket;
}

/** One object that was open when it was heard of. */
export interface Entry {
  /** Unique in this process, and never used again. */
  readonly id: number;
  /** When it was heard of, which is when it was made if the registry was there then. */
  readonly since: number;
}

/** An object with its entry. */
export interface Listed<T> extends Entry {
  readonly object: T;
}

interface WeakEntry extends Entry {
  readonly list: keyof Lists;
  readonly ref: WeakRef<object>;
}

/** A list is not swept before it has so many entries. */
const LEAST_SWEPT = 1024;

/** Hears of what opens and closes, as long as it is `start`ed, and keeps none of it alive. What belongs to a simulated world is not listed. */
export class Registry {
  readonly clock: Clock;
  #entries: WeakMap<object, WeakEntry> = new WeakMap();
  #listeners = 0;
  readonly #lists: Readonly<Record<keyof Lists, Map<number, WeakEntry>>> = {
    servers: new Map(),
    sessions: new Map(),
    connections: new Map(),
    datagrams: new Map(),
  };
  #nextId = 1;
  #sweepAt = LEAST_SWEPT;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Listens until the answer is called. @param onNew - Told of each object that opens. */
  start(onNew?: () => void): () => void {
    const stop = watchList(({ object, isOpen }) => {
      if (currentScope() !== undefined) return;
      if (!isOpen) this.#drop(object);
      else if (this.add(object) !== undefined) onNew?.();
    });
    this.#listeners += 1;
    return () => {
      stop();
      this.#listeners -= 1;
      // What closes from now on is not heard of.
      if (this.#listeners === 0) this.#clear();
    };
  }

  /** Lists an object; one that is listed keeps its entry. Undefined for what is none of these. */
  add(object: object): Entry | undefined {
    const known = this.#entries.get(object);
    if (known !== undefined) return known;
    const list = listOf(object);
    if (list === undefined) return undefined;
    const entry: WeakEntry = { id: this.#nextId, since: this.clock.now(), list, ref: new WeakRef(object) };
    this.#nextId += 1;
    this.#entries.set(object, entry);
    const entries = this.#lists[list];
    entries.set(entry.id, entry);
    if (entries.size > this.#sweepAt) this.#sweep(entries);
    // The rest says itself when it closes.
    if (list === "servers" && !(object instanceof Listener)) {
      void (object as SessionServer).closed.then(() => entries.delete(entry.id));
    }
    return entry;
  }

  /** A server that was there before, with what it has. */
  addServer(object: object): boolean {
    if (listOf(object) !== "servers") return false;
    this.add(object);
    if (object instanceof SessionServer) for (const session of object.sessions.values()) this.add(session);
    if (object instanceof Server) for (const peer of object.peers) this.add(peer);
    return true;
  }

  /** What is open, in the order in which it was heard of. */
  *all<List extends keyof Lists>(list: List): Generator<Listed<Lists[List]>> {
    for (const { id, since, ref } of this.#lists[list].values()) {
      const object = ref.deref();
      if (object === undefined) this.#lists[list].delete(id);
      else yield { id, since, object: object as Lists[List] };
    }
  }

  /** How many of them there are, or were when they were last looked at. */
  countOf(list: keyof Lists): number {
    return this.#lists[list].size;
  }

  /** One object by its number. */
  find<List extends keyof Lists>(list: List, id: number): Listed<Lists[List]> | undefined {
    const entry = this.#lists[list].get(id);
    const object = entry?.ref.deref();
    return entry === undefined || object === undefined
      ? undefined
      : { id, since: entry.since, object: object as Lists[List] };
  }

  /** The number of an object that is listed. */
  idOf(object: object | undefined): number | undefined {
    return object === undefined ? undefined : this.#entries.get(object)?.id;
  }

  #clear(): void {
    this.#entries = new WeakMap();
    for (const list of Object.values(this.#lists)) list.clear();
  }

  #drop(object: object): void {
    const entry = this.#entries.get(object);
    if (entry !== undefined) this.#lists[entry.list].delete(entry.id);
  }

  /** Forgets what was collected without having been closed: as much work as there was growth since the last time. */
  #sweep(entries: Map<number, WeakEntry>): void {
    for (const { id, ref } of entries.values()) if (ref.deref() === undefined) entries.delete(id);
    this.#sweepAt = Math.max(LEAST_SWEPT, 2 * entries.size);
  }
}

function listOf(object: object): keyof Lists | undefined {
  if (object instanceof StreamSocket) return "connections";
  if (object instanceof SessionFacade) return "sessions";
  if (object instanceof DatagramSocket) return "datagrams";
  const servers = [SessionServer, Server, DatagramServer, Listener];
  return servers.some((one) => object instanceof one) ? "servers" : undefined;
}

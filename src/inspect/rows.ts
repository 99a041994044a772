/** What the inspector says about each object. A list and the page of one object take their figures from the same function. */

import { DatagramServer } from "../io/datagram/serve.ts";
import type { DatagramSocket } from "../io/datagram/socket.ts";
import { Listener } from "../io/listener/listener.ts";
import type { SessionEndpoint } from "../io/session/endpoint/endpoint.ts";
import { partsOf, type SessionFacade } from "../io/session/endpoint/session.ts";
import { Server } from "../io/listener/serve.ts";
import { SessionServer } from "../io/session/server/serve.ts";
import type { StreamSocket } from "../io/stream/socket.ts";
import { Kept } from "./kept.ts";
import type { AnyServer, Listed, Registry } from "./registry.ts";
import { survey, type Surveyed } from "./survey.ts";
import type { ConnectionRow, DatagramsRow, ServerRow, SessionRow } from "./wire.ts";

/** Whole milliseconds, or with so many digits as a person reads. */
function rounded(value: number | undefined): number | undefined {
  return value === undefined || !Number.isFinite(value) ? undefined : Math.round(value * 100) / 100;
}

/** Makes the rows. */
export class Rows {
  readonly #registry: Registry;
  readonly #kept: Kept;
  readonly #rates: WeakMap<object, Sample> = new WeakMap();

  constructor(registry: Registry) {
    this.#registry = registry;
    this.#kept = new Kept(registry.clock);
  }

  /** The servers; a listener that belongs to one is not listed beside it. */
  *servers(): Generator<Listed<AnyServer>> {
    const owned = new Set<object>();
    for (const { object } of this.#registry.all("servers")) {
      if (object instanceof SessionServer || object instanceof Server) owned.add(object.listener);
    }
    for (const listed of this.#registry.all("servers")) if (!owned.has(listed.object)) yield listed;
  }

  server({ id, since, object }: Listed<AnyServer>): ServerRow {
    const base = { id, address: String(object.localAddress), ageMs: this.#age(since) };
    if (object instanceof Listener) return { ...base, kind: "listener", stats: object.stats };
    const row = { ...base, draining: object.draining.aborted };
    if (object instanceof Server) {
      return { ...row, kind: "connections", stats: object.stats, handlers: object.peers.size };
    }
    // A server of a contract over datagrams is one of these, too.
    if (object instanceof DatagramServer) return { ...row, kind: "datagrams", stats: object.stats };
    const { name, version } = object.contract;
    const detached = this.#kept.of(object, object.sessions.size, () => object.detachedCount);
    return { ...row, kind: "sessions", stats: { ...object.counters, detached }, contract: `${name} ${version}` };
  }

  /** What was found by a look at all sessions, now or a while ago. */
  survey(): readonly Surveyed[] {
    const registry = this.#registry;
    return this.#kept.of(registry, registry.countOf("sessions"), () =>
      survey(registry.all("sessions"), (session) => this.rateOf(session)),
    );
  }

  connection({ id, since, object }: Listed<StreamSocket>): ConnectionRow {
    const { localAddress, remoteAddress, bytesReceived, bytesSent, tls } = object;
    return {
      id,
      local: String(localAddress),
      remote: String(remoteAddress),
      ageMs: this.#age(since),
      closing: object.isClosing,
      bytesReceived,
      bytesSent,
      unreadBytes: object.inbound.queuedBytes,
      // Who has sent nothing has nothing waiting, and must not get memory for it because somebody looks.
      unsentBytes: bytesSent === 0 ? 0 : object.outbound.heldBytes,
      tls: tls === undefined ? undefined : { protocol: tls.protocol, cipher: tls.cipher, alpn: tls.alpn },
    };
  }

  datagrams({ id, since, object }: Listed<DatagramSocket>): DatagramsRow {
    const { localAddress, remoteAddress, stats } = object;
    const remote = remoteAddress === undefined ? undefined : String(remoteAddress);
    return { id, local: String(localAddress), remote, ageMs: this.#age(since), stats };
  }

  session(listed: Listed<SessionFacade>): SessionRow {
    const { id, since, object } = listed;
    const { endpoint, epoch } = partsOf(object);
    const { received, sent, acknowledged } = endpoint.machine.resumePoint;
    const { role } = endpoint.settings.plan;
    const { localAddress, remoteAddress, state } = object;
    return {
      id,
      session: object.id,
      side: role,
      server: role === "server" ? this.#registry.idOf(endpoint.owner) : undefined,
      state,
      // Where nobody asked who it is, it is named after the session.
      principal: object.principal === object.id ? undefined : object.principal,
      local: localAddress === undefined ? undefined : String(localAddress),
      remote: remoteAddress === undefined ? undefined : String(remoteAddress),
      ageMs: this.#age(since),
      // A client learns its number from the server only when it asks.
      epoch: role === "server" ? epoch : undefined,
      sent,
      acknowledged,
      received,
      handled: received - (endpoint.handling?.underWay.waitingMessages ?? 0),
      ...object.stats,
      roundTripMs: rounded(object.stats.roundTripMs),
      messagesPerSecond: rounded(this.rateOf(object)),
    };
  }

  /** Messages of both sides in a second, between two looks at least half a second apart; undefined at the first one. */
  rateOf(session: SessionFacade): number | undefined {
    const { endpoint } = partsOf(session);
    const now = this.#registry.clock.now();
    const before = this.#rates.get(session);
    const count = countOf(endpoint);
    if (before === undefined || count < before.count) {
      this.#rates.set(session, { at: now, count, rate: undefined });
      return undefined;
    }
    if (now - before.at < LEAST_SAMPLE_MS) return before.rate;
    const rate = ((count - before.count) * 1000) / (now - before.at);
    this.#rates.set(session, { at: now, count, rate });
    return rate;
  }

  #age(since: number): number {
    return Math.round(this.#registry.clock.now() - since);
  }
}

interface Sample {
  readonly at: number;
  readonly count: number;
  readonly rate: number | undefined;
}

const LEAST_SAMPLE_MS = 500;

function countOf({ machine }: SessionEndpoint): number {
  return machine.received + machine.unacknowledgedLog.last;
}

/**
 * Two processes and the links between them, without a socket or a clock: the machines of handshake and session, driven as the
 * io layer drives them. A test moves bytes, cuts links, lets time pass, and crashes processes.
 */

import assert from "node:assert/strict";
import { contract } from "../../src/core/contract/contract.ts";
import { ConnectionError } from "../../src/core/errors.ts";
import { ClientHandshake } from "../../src/core/handshake/client-handshake.ts";
import type { Hello, Welcome } from "../../src/core/handshake/hello.ts";
import { DEFAULT_LIMITS } from "../../src/core/handshake/limits.ts";
import { type Agreement, agreeWithClient, type Capabilities } from "../../src/core/handshake/negotiate.ts";
import { ServerHandshake } from "../../src/core/handshake/server-handshake.ts";
import { MemorySessionStore } from "../../src/core/session/memory-session-store.ts";
import { confirmToken, ownsSession, type ResumeClaim, resumeSession } from "../../src/core/session/resume.ts";
import { encodeTakenOver } from "../../src/core/session/close-frame.ts";
import { encodeDeparted } from "../../src/core/session/departure.ts";
import { Farewells } from "../../src/core/session/farewells.ts";
import { Session } from "../../src/core/session/session.ts";
import { SessionOracle, type SideName } from "./session-oracle.ts";
import { SessionPrograms } from "./session-programs.ts";

const LIMITS = { ...DEFAULT_LIMITS, windowBytes: 300, streamWindowBytes: 100, maxCalls: 3, maxStreams: 2 };
const REPLAY = { maxBytes: 2000, maxMessages: 12, maxAgeMs: 1_000_000 };
const CAPABILITIES: Capabilities = {
  contract: contract("world", "1.0.0", {}),
  codecs: ["json"],
  features: [],
  limits: LIMITS,
};
export const KEPT_MS = 60_000;

/** One connection. Bytes travel until they are delivered, or the link is cut. */
export interface Link {
  readonly toServer: Buffer[];
  readonly toClient: Buffer[];
  readonly handshake: ServerHandshake;
  /** The session that this link carries at the server. */
  served: ServedSession | undefined;
  cut: boolean;
  /** The server has said its last words. */
  dismissed?: boolean;
}

/** A session in the server process. */
interface ServedSession {
  readonly id: string;
  readonly session: Session;
  readonly agreement: Agreement;
  readonly oracle: SessionOracle;
  link: Link | undefined;
  epoch: number;
}

/** What the client process knows of its session. */
interface ClientSession {
  readonly session: Session;
  readonly oracle: SessionOracle;
  readonly id: string;
  readonly server: string;
  token: string;
}

/** Two processes and the links between them. */
export class SessionWorld {
  now = 0;
  readonly links: Link[] = [];
  client: ClientSession | undefined;
  /** The link that the client uses; all others it has abandoned. */
  link: Link | undefined;
  #handshake: ClientHandshake | undefined;
  #attempt = 0;
  #server = newServer("i0");
  readonly #oracles: Map<string, SessionOracle> = new Map();
  #serial = 0;
  /** Sessions of which a side has taken leave for good. */
  readonly #leaving: Set<SessionOracle> = new Set();
  /** Whether something happened after which a session may be gone. */
  disaster = false;
  /** What the programs of both processes do. */
  readonly programs: SessionPrograms = new SessionPrograms();

  /** The server's half of the session that the client has. */
  get served(): ServedSession | undefined {
    return this.#server.sessions.get(this.client?.id ?? "");
  }

  /** Whether both sides have a connection, and the same one. */
  get joined(): boolean {
    const { link, client } = this;
    if (link === undefined || link.cut || link.served?.link !== link) return false;
    const state = client?.session.state;
    return state === "attached" || (state === "leaving" && this.#leaving.has((client as ClientSession).oracle));
  }

  /** The client connects anew, whether it has a connection or not. */
  connect(): void {
    this.#abandon();
    // One that has refused messages cannot go on.
    if (this.client?.session.resumable === false) {
      this.client.session.lose(new ConnectionError("SESSION_LOST", { op: "resume" }));
      this.#drainClient();
    }
    const { client } = this;
    this.#attempt += 1;
    const resume =
      client === undefined
        ? undefined
        : {
            session: client.id,
            token: client.token,
            server: client.server,
            attempt: this.#attempt,
            ...client.session.resumePoint,
          };
    this.#handshake = new ClientHandshake(CAPABILITIES, this.now, { resume });
    this.link = { toServer: [], toClient: [], handshake: new ServerHandshake(this.now), served: undefined, cut: false };
    this.links.push(this.link);
    this.link.toServer.push(...this.#handshake.output().map((bytes) => Buffer.from(bytes)));
  }

  /** The link is cut. What is on it is lost; the client notices at once, the server when `serverNotices`. */
  cut(link: Link, serverNotices: boolean): void {
    link.cut = true;
    link.toServer.length = link.toClient.length = 0;
    if (link === this.link) this.#abandon();
    if (serverNotices) this.#serverLoses(link);
  }

  /** Delivers up to `count` bytes to one side. */
  deliver(link: Link, to: SideName, count: number): void {
    const queue = to === "server" ? link.toServer : link.toClient;
    const all = Buffer.concat(queue);
    const bytes = all.subarray(0, count);
    queue.length = 0;
    if (bytes.length < all.length) queue.push(all.subarray(bytes.length));
    if (to === "server") this.#toServer(link, bytes);
    else if (link === this.link) this.#toClient(bytes);
  }

  /** Sends whatever the sessions of these sides have to send. */
  flush(sides: Readonly<Record<SideName, boolean>> = { client: true, server: true }): void {
    const { link, client } = this;
    if (sides.client && link !== undefined && client !== undefined && this.#handshake === undefined)
      push(link.toServer, client.session.output(this.now));
    if (!sides.server) return;
    for (const served of this.#server.sessions.values()) {
      if (served.link !== undefined && !served.link.cut) push(served.link.toClient, served.session.output(this.now));
    }
  }

  /** Lets time pass. */
  wait(ms: number): void {
    this.now += ms;
    if (ms >= KEPT_MS) this.disaster = true;
    if (this.client !== undefined) {
      this.client.session.onDeadline(this.now);
      this.#drainClient();
    }
    for (const served of this.#server.sessions.values()) {
      served.session.onDeadline(this.now);
      this.#drainServer(served);
    }
  }

  /** The client process dies and starts again: its counters are gone, so it cannot resume (D.5). */
  crashClient(): void {
    this.disaster = true;
    this.#abandon();
    this.client = undefined;
  }

  /** The server process dies and starts again: another instance, without sessions. */
  crashServer(): void {
    this.disaster = true;
    this.#serial += 1;
    for (const link of this.links) {
      link.cut = true;
      link.served = undefined;
      link.toServer.length = link.toClient.length = 0;
    }
    this.#abandon();
    this.#server = newServer(`i${this.#serial}`);
  }

  /** One side takes leave, or says that it goes. */
  leave(side: SideName, close: boolean): void {
    const half = side === "client" ? this.client : this.served;
    if (half === undefined) return;
    this.disaster = true;
    this.#leaving.add(half.oracle);
    half.oracle.left(side);
    if (close) half.session.close("bye", this.now);
    else half.session.goAway(false, 0);
    if (side === "client") this.#drainClient();
    else this.#drainServer(half as ServedSession);
  }

  /** Reconnects if need be, and moves everything until nothing moves. Then everything must have arrived. */
  heal(): void {
    for (let round = 0; round < 200; round += 1) {
      if (!this.joined && this.#handshake === undefined) this.connect();
      while (this.programs.waiting.length > 0) this.programs.answer(0, this.now);
      // Who has said that it goes comes to its end.
      for (const side of ["client", "server"] as const) {
        const half = side === "client" ? this.client : this.served;
        if (half?.session.state === "leaving" && this.#leaving.has(half.oracle)) this.leave(side, true);
      }
      this.flush();
      let moved = false;
      for (const link of this.links) {
        for (const [to, queue] of [["server", link.toServer] as const, ["client", link.toClient] as const]) {
          if (queue.length > 0) {
            moved = true;
            this.deliver(link, to, Infinity);
          }
        }
      }
      if (!moved) this.wait(20);
      const { client, served } = this;
      const quiet = !moved && this.programs.waiting.length === 0 && this.joined;
      if (quiet && client?.session.unacknowledged === 0 && served?.session.unacknowledged === 0) {
        client.oracle.complete();
        return;
      }
    }
    assert.fail("the two sides did not come to rest");
  }

  #abandon(): void {
    this.client?.session.detach(this.now);
    this.#handshake = undefined;
    this.link = undefined;
  }

  #toClient(bytes: Buffer): void {
    const handshake = this.#handshake;
    if (handshake === undefined) {
      this.client?.session.receive(bytes, 0, bytes.length, this.now);
      this.#drainClient();
      return;
    }
    handshake.receive(bytes, 0, bytes.length);
    const happened = handshake.nextEvent();
    if (happened === undefined) return;
    this.#handshake = undefined;
    if (happened.type === "refused" && happened.error.code === "SESSION_TAKEN_OVER") {
      this.#abandon();
      return;
    }
    assert.equal(happened.type, "welcome", String("error" in happened ? happened.error : ""));
    this.#welcomed(happened.welcome, happened.agreement);
    this.#toClient(Buffer.from(happened.rest));
  }

  #welcomed(welcome: Welcome, agreement: Agreement): void {
    const { session: id, server, token, received = 0, fresh } = welcome;
    if (this.client !== undefined && fresh !== undefined) {
      this.client.session.lose(new ConnectionError("SESSION_LOST", { op: "resume", detail: fresh }));
      this.#drainClient();
    }
    if (this.client === undefined) {
      const { limits, peerLimits } = agreement;
      const session = new Session({ role: "client", limits, peerLimits, replay: REPLAY, keptMs: KEPT_MS }, this.now);
      this.client = { session, oracle: this.#oracleOf(id), id, server, token };
    }
    this.client.token = token;
    assert.ok(this.client.session.attach(received, this.now));
    this.#drainClient();
  }

  #drainClient(): void {
    const { client } = this;
    if (client === undefined) return;
    const { session, oracle } = client;
    const isAlive = this.link !== undefined && session.departed === undefined;
    for (let happened = session.nextEvent(); happened !== undefined; happened = session.nextEvent()) {
      this.programs.told("client", session, oracle, happened);
      if (happened.type === "ended") {
        if (happened.error === undefined && isAlive) oracle.known("client");
        this.client = undefined;
        this.#abandon();
      }
    }
  }

  #toServer(link: Link, bytes: Buffer): void {
    const { served } = link;
    if (served !== undefined) {
      // Bytes of a connection that was taken over are discarded (D.3).
      if (served.link !== link) return;
      served.session.receive(bytes, 0, bytes.length, this.now);
      this.#drainServer(served);
      return;
    }
    if (link.dismissed === true) return;
    link.handshake.receive(bytes, 0, bytes.length);
    const happened = link.handshake.nextEvent();
    if (happened === undefined) return;
    assert.equal(happened.type, "hello");
    this.#decide(link, happened.hello);
    push(link.toClient, link.handshake.output());
  }

  #decide(link: Link, hello: Hello): void {
    const answer = agreeWithClient(CAPABILITIES, hello);
    assert.ok("agreement" in answer);
    const { agreement } = answer;
    const { instance, store, sessions } = this.#server;
    this.#serial += 1;
    const token = `t${this.#serial}`;
    const request = hello.resume;
    if (request === undefined) {
      this.#welcome(link, this.#create(agreement, token), token, {});
      return;
    }
    const claim = { request, principal: "ana", agreement, tokenHash: hash(request.token), nextTokenHash: hash(token) };
    if (this.#dismisses(link, claim, token)) return;
    const decision = resumeSession(store, instance, claim, (id) => {
      const held = sessions.get(id);
      return held?.session.resumable === true ? { agreement: held.agreement, ...held.session.resumePoint } : undefined;
    });
    if (decision.outcome === "refused") link.handshake.refuse(decision.refusal);
    else if (decision.outcome === "fresh") {
      assert.ok(this.disaster, `a session was lost for no reason: ${decision.reason}`);
      assert.notEqual(decision.reason, "counters-invalid");
      this.#welcome(link, this.#create(agreement, token), token, { fresh: decision.reason });
    } else {
      const served = sessions.get(request.session) as ServedSession;
      if (served.link !== undefined && !served.link.cut)
        served.link.toClient.push(encodeTakenOver(served.session.received));
      served.epoch = decision.record.epoch;
      const { received } = served.session.resumePoint;
      assert.ok(served.session.attach(request.received, this.now));
      this.#welcome(link, served, token, { received });
    }
  }

  /** Tells a client that its session was closed while it was away. */
  #dismisses(link: Link, claim: Omit<ResumeClaim, "nextTokenHash">, token: string): boolean {
    const { request, agreement } = claim;
    const { instance: server, sessions, farewells } = this.#server;
    const held = sessions.get(request.session);
    if (held?.session.state === "closing") {
      held.link = undefined;
      held.session.detach(this.now);
      this.#drainServer(held);
    }
    const farewell = request.server === server ? farewells.get(request.session, this.now) : undefined;
    if (farewell === undefined || !ownsSession(farewell.record, claim)) return false;
    const received = Math.max(farewell.departed.accepted, request.acknowledged);
    assert.ok(received <= request.sent);
    const { codec, features, limits } = agreement;
    const rest = { version: "1.0.0", offers: [], codec, features, limits, token, server, epoch: 9, keptMs: KEPT_MS };
    link.handshake.welcome({ ...rest, session: request.session, received });
    push(link.toClient, link.handshake.output());
    push(link.toClient, [encodeDeparted(farewell.departed, received, agreement.peerLimits)]);
    link.dismissed = true;
    return true;
  }

  #create(agreement: Agreement, token: string): ServedSession {
    const id = `s${this.#serial}`;
    const { limits, peerLimits } = agreement;
    const session = new Session({ role: "server", limits, peerLimits, replay: REPLAY, keptMs: KEPT_MS }, this.now);
    const { store, sessions } = this.#server;
    const record = { id, principal: "ana", epoch: 1, attempt: 0, tokenHash: hash(token), previousTokenHash: undefined };
    assert.ok(store.create(record).admitted);
    session.attach(0, this.now);
    const served = { id, session, agreement, oracle: this.#oracleOf(id), link: undefined, epoch: 1 };
    sessions.set(id, served);
    return served;
  }

  #welcome(link: Link, served: ServedSession, token: string, how: Partial<Welcome>): void {
    link.served = served;
    served.link = link;
    const { codec, features, limits } = served.agreement;
    const { id: session, epoch } = served;
    const { instance: server } = this.#server;
    const version = "1.0.0";
    const rest = { version, offers: [], codec, features, limits, session, token, server, epoch, keptMs: KEPT_MS };
    link.handshake.welcome({ ...rest, ...how });
    this.#drainServer(served);
  }

  #serverLoses(link: Link): void {
    const { served } = link;
    if (served?.link !== link) return;
    served.link = undefined;
    served.session.detach(this.now);
    this.#server.store.detach(served.id, served.epoch, this.now);
  }

  #drainServer(served: ServedSession): void {
    const { session, oracle, id } = served;
    for (let happened = session.nextEvent(); happened !== undefined; happened = session.nextEvent()) {
      if (happened.type === "confirmed") confirmToken(this.#server.store, id, served.epoch);
      if (happened.type === "unresponsive") served.link = undefined;
      this.programs.told("server", session, oracle, happened);
      if (happened.type === "ended") {
        if (happened.error === undefined && session.departed === undefined) oracle.known("server");
        const record = this.#server.store.get(id);
        if (session.departed !== undefined && record !== undefined)
          this.#server.farewells.add(record, session.departed, this.now);
        this.#server.sessions.delete(id);
        this.#server.store.remove(id);
      }
    }
  }

  #oracleOf(id: string): SessionOracle {
    const oracle = this.#oracles.get(id) ?? new SessionOracle();
    this.#oracles.set(id, oracle);
    return oracle;
  }
}

interface ServerProcess {
  readonly instance: string;
  readonly store: MemorySessionStore;
  readonly sessions: Map<string, ServedSession>;
  readonly farewells: Farewells;
}

function newServer(instance: string): ServerProcess {
  return { instance, store: new MemorySessionStore(), sessions: new Map(), farewells: new Farewells(KEPT_MS) };
}

function push(queue: Buffer[], chunks: readonly Uint8Array[]): void {
  for (const chunk of chunks) queue.push(Buffer.from(chunk));
}

const hash = (token: string): string => `#${token}`;

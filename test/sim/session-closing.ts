/**
 * Sessions that end in the middle of everything: each event that was accepted is handled once, or reported lost at its sender,
 * or reported as not handled at its receiver.
 */

import { FULFILLED } from "../../src/io/operation/handled-rejection.ts";
import type { Clock, Network } from "../../src/index.ts";
import {
  call,
  contract,
  event,
  connectSession,
  serveSessions,
  type Session,
  type SessionEnd,
  type SessionServer,
  stream,
  typeOnly,
} from "../../src/protocol.ts";
import { FAULT_KINDS, type Simulation, simulation, type World } from "../../src/sim.ts";

const side = {
  tell: event<number>(),
  ask: call<number, number>(),
  flow: stream({ sends: typeOnly<number>(), receives: typeOnly<number>() }),
};
const mirror = contract("mirror", "1.0.0", { server: side, client: side });
type Either = Session<typeof side>;

/** Windows and buffers that are full all the time. */
const TIGHT = {
  limits: { windowBytes: 60, streamWindowBytes: 60, maxCalls: 4, maxStreams: 20 },
  resume: { maxReplayMessages: 9, maxReplayAgeMs: 20_000 },
  timeouts: { callMs: 5_000 },
};
const KEPT_MS = 3_000;
/** What still happens when the world is well again: sessions expire, handlers come to their end. */
const REST_MS = 45_000;
const EVENTS_AT_ONCE = 6;
const STREAMS_AT_ONCE = 8;

const ignore = (): void => undefined;
const pause = (clock: Clock, ms: number): Promise<void> => new Promise((resolve) => void clock.setTimer(resolve, ms));

/** What became of the events in one direction. */
class Ledger {
  readonly #world: World;
  readonly #name: string;
  #last = 0;
  #waiting = 0;
  /** Those that `event()` took, those that it gave back, and those whose handlers have begun. */
  readonly #accepted: Set<number> = new Set();
  readonly #rejected: Set<number> = new Set();
  readonly #handled: Set<number> = new Set();
  /** What was reported. */
  #notSent = 0;
  #unknown = 0;
  #unhandled = 0;

  constructor(world: World, name: string) {
    this.#world = world;
    this.#name = name;
  }

  /** Sends the next event. */
  tell(session: Either): void {
    const number = (this.#last += 1);
    const fate = session.remote.tell(number);
    if (fate === FULFILLED) {
      this.#accepted.add(number);
      return;
    }
    this.#waiting += 1;
    fate
      .then(
        () => this.#accepted.add(number),
        (error: unknown) => {
          this.#rejected.add(number);
          this.#always("what is rejected was not sent", (error as { outcome?: unknown }).outcome === "none");
        },
      )
      .finally(() => (this.#waiting -= 1));
  }

  handle(number: number): void {
    this.#always("no event is handled twice", !this.#handled.has(number));
    this.#handled.add(number);
  }

  /** A session of the sender is over. */
  lost(lost: SessionEnd["lost"]): void {
    for (const { kind, outcome } of lost) {
      if (kind !== "event") continue;
      if (outcome === "not-sent") this.#notSent += 1;
      else this.#unknown += 1;
    }
    this.#world.sometimes(`${this.#name}: events are lost`, lost.length > 0);
  }

  /** A session of the receiver is over. */
  unhandled(count: number): void {
    this.#unhandled += count;
    this.#world.sometimes(`${this.#name}: events are accepted and not handled`, count > 0);
  }

  /** Everything is over. In a `calm` world nobody may be left in doubt. */
  close(calm: boolean): void {
    const missing = [...this.#accepted].filter((number) => !this.#handled.has(number));
    const known = this.#notSent + this.#unhandled;
    this.#always("every sender is told", this.#waiting === 0);
    this.#always("nobody is left in doubt", !calm || this.#unknown === 0);
    this.#always("nothing vanishes", missing.length <= known + this.#unknown);
    this.#always("what is not sent, or not handled, is not handled", known <= missing.length);
    this.#always("what is rejected is not handled", ![...this.#rejected].some((number) => this.#handled.has(number)));
    this.#world.sometimes(`${this.#name}: all that was accepted is handled`, missing.length === 0);
  }

  #always(what: string, holds: boolean): void {
    this.#world.always(`${this.#name}: ${what}`, holds);
  }
}

/** Both programs of one world. */
class Programs {
  /** Whether the programs still begin something new. */
  going = true;
  running = 0;
  readonly toServer: Ledger;
  readonly toClient: Ledger;
  server: SessionServer<typeof side> | undefined;
  readonly #world: World;
  readonly #calm: boolean;

  /** @param calm - Nobody aborts a session. */
  constructor(world: World, calm: boolean) {
    this.#world = world;
    this.#calm = calm;
    this.toServer = new Ledger(world, "to the server");
    this.toClient = new Ledger(world, "to the client");
  }

  /** One draw in so many is true. */
  #oneIn(count: number, network: Network): boolean {
    return network.random.next() * count < 1;
  }

  /** Handlers that are quick, slow, throw, and use their own session, as the number says. */
  #handlers({ clock }: Network, ledger: Ledger) {
    const handle = async (number: number, session: Either): Promise<void> => {
      if (number % 7 === 1) await pause(clock, number % 50);
      if (number % 7 === 2) await Promise.resolve();
      if (number % 7 === 3) throw new Error("thrown");
      if (number % 7 === 4) await session.remote.ask(number).catch(ignore);
      if (number % 211 === 5) await session.close({ timeoutMs: 0, message: "from its own handler" });
      if (number % 211 === 6) await session.close({ timeoutMs: this.#calm ? REST_MS : 50 });
      // It waits for itself, until its time is up.
      if (number % 499 === 7 && ledger === this.toServer) await session.closed;
    };
    return {
      ask: async (number: number) => {
        if (number % 2 === 0) await pause(clock, 30);
        return number;
      },
      async *flow(_nothing: unknown, items: AsyncIterable<number>) {
        for await (const item of items) yield item;
      },
      tell: (number: number, { session }: { readonly session: Either }) => {
        ledger.handle(number);
        if (number % 7 === 0) return undefined;
        this.running += 1;
        return handle(number, session).finally(() => (this.running -= 1));
      },
    };
  }

  /** Tells, asks, and opens streams that take items of a few bytes. */
  #talk(session: Either, ledger: Ledger, network: Network): void {
    for (let count = network.random.next() * EVENTS_AT_ONCE; count > 0; count -= 1) ledger.tell(session);
    session.remote.ask(network.random.next() < 0.5 ? 1 : 2).catch(ignore);
    if (!this.#oneIn(4, network)) return;
    for (let count = 0; count < STREAMS_AT_ONCE; count += 1) void this.#stream(session).catch(ignore);
  }

  async #stream(session: Either): Promise<void> {
    const flow = session.remote.flow();
    const send = async (): Promise<void> => {
      for (let item = 0; item < 20; item += 1) await flow.send(item);
      flow.end();
    };
    const sending = send();
    sending.catch(ignore);
    for await (const item of flow) if (item === 19) break;
  }

  /** Ends a session in one of the ways that there are. */
  #end(session: Either, network: Network): void {
    const ways: readonly (() => unknown)[] = [
      () => session.close({ timeoutMs: 0, message: "enough" }),
      () => session.close({ timeoutMs: 0, message: "enough" }),
      () => session.close({ timeoutMs: this.#calm ? REST_MS : network.random.next() * 2_000 }),
      () => session.close(),
      () => (this.#calm ? session.close({ timeoutMs: 0 }) : session.abort()),
    ];
    const way = ways[Math.floor(network.random.next() * ways.length)];
    void Promise.resolve(way?.()).catch(ignore);
  }

  async serve(network: Network): Promise<void> {
    const { clock } = network;
    while (this.going) {
      const server = await serveSessions(mirror, "tcp://0.0.0.0:7000", {
        ...TIGHT,
        network,
        resume: { ...TIGHT.resume, resumeTimeoutMs: KEPT_MS },
        handlers: this.#handlers(network, this.toServer),
        onClose: (_session, { lost, unhandled }) => {
          this.toClient.lost(lost);
          this.toServer.unhandled(unhandled);
        },
      });
      this.server = server;
      while (this.going && !this.#oneIn(60, network)) {
        await pause(clock, network.random.next() * 150);
        for (const session of server.sessions.values()) {
          this.#talk(session, this.toClient, network);
          if (this.#oneIn(25, network)) this.#end(session, network);
        }
      }
      if (!this.going) return;
      this.#world.sometimes("a server leaves", true);
      // Who leaves at once, or is out of time, does not hear what far away has been handled.
      if (this.#calm) await server.close({ timeoutMs: REST_MS, reconnectSpreadMs: 500 });
      else if (this.#oneIn(3, network)) await server.close({ timeoutMs: 0 });
      else await server.close({ timeoutMs: network.random.next() * 5_000, reconnectSpreadMs: 500 });
      await pause(clock, network.random.next() * 1_000);
    }
  }

  async visit(network: Network): Promise<void> {
    const { clock } = network;
    const options = {
      ...TIGHT,
      network,
      reconnect: { timeoutMs: 20_000, maxDelayMs: 1_000 },
      handlers: this.#handlers(network, this.toClient),
      onReady: (_session: unknown, { lost, reason }: { lost: SessionEnd["lost"]; reason: string }) => {
        if (reason === "first") return;
        this.#world.sometimes(`a session begins anew: ${reason}`, true);
        this.toServer.lost(lost);
      },
      onClose: (_session: unknown, { lost, unhandled }: SessionEnd) => {
        this.toServer.lost(lost);
        this.toClient.unhandled(unhandled);
      },
      // Of a session that another one follows nobody is told by `closed`.
      timeouts: { ...TIGHT.timeouts, finishMs: Number.POSITIVE_INFINITY },
    };
    while (this.going) {
      const session = await connectSession(mirror, "tcp://server:7000", options).catch(() => undefined);
      await pause(clock, 50);
      if (session === undefined) continue;
      while (this.going && session.state !== "closed") {
        this.#talk(session, this.toServer, network);
        if (this.#oneIn(25, network)) this.#end(session, network);
        await pause(clock, network.random.next() * 150);
      }
      await session.close({ timeoutMs: 0, message: "the visit is over" });
      await session.closed;
    }
  }
}

function closing(name: string, chaos: Parameters<typeof simulation>[0]["chaos"]): Simulation {
  const calm = chaos === false;
  return simulation({ name, chaos, convergeMs: 120_000 }, async (world) => {
    const programs = new Programs(world, calm);
    world.host("server", (network) => programs.serve(network));
    world.host("client", (network) => programs.visit(network));
    if (calm) await world.sleep(10_000);
    await world.healed;
    programs.going = false;
    await world.sleep(REST_MS);
    await programs.server?.close({ timeoutMs: REST_MS });
    await world.converge("all handlers come to their end", () => programs.running === 0);
    programs.toServer.close(calm);
    programs.toClient.close(calm);
  });
}

/** Nothing goes wrong but what the programs do: then everything is known. */
export const calmClosing: Simulation = closing("sessions that end in peace", false);

/** A crash takes what was accepted along, and tells nobody. */
const kinds = FAULT_KINDS.filter((kind) => kind !== "crash");

/** Connections end by silence and by a middlebox; sessions by all that a program may do, and by their time. */
export const sessionClosing: Simulation = closing("sessions that end under chaos", { kinds });

/** Sessions under chaos: each message exactly once and in order within a live session, whatever the network does. */

import type { Clock, Network } from "../../src/index.ts";
import {
  call,
  contract,
  event,
  type ReadyReport,
  connectSession,
  serveSessions,
  type Session,
  stream,
  typeOnly,
} from "../../src/protocol.ts";
import { FAULT_KINDS, type Simulation, simulation, type World } from "../../src/sim.ts";

const plaza = contract("plaza", "1.0.0", {
  server: {
    say: event<number>(),
    add: call<number, number>(),
    count: stream({ request: typeOnly<number>(), sends: typeOnly<number>() }),
  },
  client: { said: event<number>() },
});

type PlazaSession = Session<typeof plaza.server>;

/** Each side says so many things, then waits: some are under way when a connection is lost. */
const EVENTS_AT_ONCE = 3;
const ITEMS_AT_ONCE = 5;
const PAUSE_MS = 250;

const pause = (clock: Clock, ms: number): Promise<void> => new Promise((resolve) => void clock.setTimer(resolve, ms));

/** What one side has received, by session. */
class Received {
  readonly #world: World;
  readonly #side: string;
  readonly #last: Map<string, number> = new Map();

  constructor(world: World, side: string) {
    this.#world = world;
    this.#side = side;
  }

  /**
   * Message `number` of a session arrived. Its sender counts on from session to session: what was sent between two of them
   * is the first of the next.
   */
  take(session: string, number: number): void {
    const last = this.#last.get(session);
    this.#world.always(`${this.#side} gets no message twice`, last === undefined || number > last);
    this.#world.always(`${this.#side} misses no message`, last === undefined || number === last + 1);
    this.#last.set(session, number);
  }
}

/** Everything that is known of one world. */
class Plaza {
  answered = 0;
  readonly #world: World;
  readonly #atServer: Received;
  readonly #atClient: Received;
  /** How often each call was handled. */
  readonly #handled: Map<string, number> = new Map();

  constructor(world: World) {
    this.#world = world;
    this.#atServer = new Received(world, "the server");
    this.#atClient = new Received(world, "the client");
  }

  async serve(network: Network): Promise<void> {
    const { clock } = network;
    const server = await serveSessions(plaza, "tcp://0.0.0.0:7000", {
      network,
      data: () => ({ said: 0 }),
      handlers: {
        say: (number, { session }) => this.#atServer.take(session.id, number),
        add: (number, { session }) => this.#add(number, session.id),
        async *count(from) {
          for (let number = from; ; number += 1) {
            yield number;
            if (number % ITEMS_AT_ONCE === 0) await pause(clock, PAUSE_MS);
          }
        },
      },
    });
    for (;;) {
      await pause(clock, PAUSE_MS);
      for (const session of server.sessions.values()) {
        for (let count = 0; count < EVENTS_AT_ONCE; count += 1) {
          session.data.said += 1;
          Promise.resolve(session.remote.said(session.data.said)).catch(() => undefined);
        }
      }
    }
  }

  async visit(network: Network): Promise<void> {
    const { clock } = network;
    let said = 0;
    const options = {
      network,
      reconnect: { timeoutMs: Number.POSITIVE_INFINITY, maxDelayMs: 2_000 },
      handlers: {
        said: (number: number, { session }: { readonly session: PlazaSession }) =>
          this.#atClient.take(session.id, number),
      },
      onResume: ({ id }: PlazaSession) => this.#world.sometimes("a session goes on", id !== ""),
      onReady: (_session: PlazaSession, { reason, lost }: ReadyReport) => {
        if (reason === "first") return;
        this.#world.sometimes(`a session begins anew: ${reason}`, true);
        this.#world.sometimes("what was lost is told", lost.length > 0);
      },
    };
    let session: PlazaSession | undefined;
    // The first connection may be cut like any other; then the program tries again.
    while (session === undefined) {
      session = await connectSession(plaza, "tcp://server:7000", options).catch(() => undefined);
      await pause(clock, PAUSE_MS);
    }
    void this.#ask(session, clock);
    void this.#listen(session, clock);
    for (;;) {
      for (let count = 0; count < EVENTS_AT_ONCE; count += 1) {
        said += 1;
        await Promise.resolve(session.remote.say(said)).catch(() => undefined);
      }
      await pause(clock, PAUSE_MS);
    }
  }

  #add(number: number, session: string): number {
    const name = `${session} ${number}`;
    this.#handled.set(name, (this.#handled.get(name) ?? 0) + 1);
    this.#world.always("no call is handled twice", this.#handled.get(name) === 1);
    return number + 1;
  }

  async #ask(session: PlazaSession, clock: Clock): Promise<void> {
    for (let number = 1; ; number += 1) {
      const answer = await session.remote.add(number).catch(() => undefined);
      this.#world.sometimes("a call is lost", answer === undefined);
      this.#world.always("an answer belongs to its call", answer === undefined || answer === number + 1);
      if (answer !== undefined) this.answered += 1;
      await pause(clock, PAUSE_MS);
    }
  }

  async #listen(session: PlazaSession, clock: Clock): Promise<void> {
    let next = 1;
    const readAll = async (): Promise<void> => {
      for await (const item of session.remote.count(next)) {
        this.#world.always("a stream misses and doubles nothing", item === next);
        next += 1;
      }
    };
    for (;;) {
      await readAll().catch(() => this.#world.sometimes("a stream is lost", true));
      await pause(clock, PAUSE_MS);
    }
  }
}

/**
 * A server and a client, each on a host that may crash. Connections end by crashes, by silence, and by a middlebox.
 * Afterwards calls must be answered again.
 */
export const sessionChaos: Simulation = simulation(
  { name: "sessions under chaos", chaos: { kinds: FAULT_KINDS } },
  async (world) => {
    const visitors = new Plaza(world);
    world.host("server", (network) => visitors.serve(network));
    world.host("client", (network) => visitors.visit(network));
    await world.healed;
    const before = visitors.answered;
    await world.converge("calls are answered again", () => visitors.answered > before + 3, 50_000);
  },
);

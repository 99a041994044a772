/** Zócalo's sessions as a {@link Peer}: with plain bytes, and with an object that zod checks. */

import { subscribe } from "node:diagnostics_channel";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { fileJournal } from "../../src/journal-file.ts";
import {
  bytes,
  call,
  contract,
  event,
  connectSession,
  memoryJournal,
  serveSessions,
  type SessionJournal,
} from "../../src/protocol.ts";
import type { Handlers, Link, Peer, Serving } from "./link.ts";

const PLACE = "tcp://127.0.0.1:0";
/** A benchmark opens more sessions of one address than a server takes by default. */
const LIMITS = {
  limits: {
    maxSessions: 20_000,
    maxSessionsPerAddress: 20_000,
    maxConnections: 20_000,
    maxMessagesPerSecond: Number.POSITIVE_INFINITY,
  },
} as const;

const plain = contract("bench", "1.0.0", {
  server: { tell: event(bytes), ask: call(bytes, bytes) },
  client: { news: event(bytes) },
});

const Reading = z.object({
  sensor: z.string(),
  sequence: z.number().int(),
  degrees: z.number(),
  valid: z.boolean(),
  unit: z.enum(["C", "F"]),
});
const checked = contract("bench-checked", "1.0.0", {
  server: { tell: event(Reading), ask: call(Reading, Reading) },
});
const READING = { sensor: "north", sequence: 7, degrees: 20.5, valid: true, unit: "C" } as const;

/** What may stand around the calls of a program. */
interface Watching {
  /** Figures of each method, at the server. */
  readonly metrics?: boolean;
  /** An interceptor at both sides. */
  readonly around?: Around;
}

type Around = (message: unknown, next: () => Promise<unknown>) => Promise<unknown>;

/** A journal in a file that goes with the process. */
function ownFile(): SessionJournal {
  const folder = mkdtempSync(join(tmpdir(), "zocalo-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  process.on("SIGTERM", () => process.exit());
  return fileJournal({ path: join(folder, "sessions.journal") });
}

/** @param subscribed - Whether somebody hears of each call on its tracing channel. */
const zocalo = (watching: Watching = {}, subscribed = false, journal?: () => SessionJournal): Peer => ({
  async serve(handlers: Handlers): Promise<Serving> {
    if (subscribed) subscribe("tracing:zocalo:call:start", () => undefined);
    const server = await serveSessions(plain, PLACE, {
      ...LIMITS,
      ...watching,
      journal: journal?.(),
      handlers: { tell: (message) => handlers.event(message), ask: (message) => handlers.call(message) },
    });
    return {
      port: server.localAddress.port,
      broadcast(message) {
        if (server.remote.news(message).dropped > 0) throw new Error("a session had no room for a message");
      },
    };
  },
  async open(port: number, heard: (length: number) => void = () => undefined): Promise<Link> {
    if (subscribed) subscribe("tracing:zocalo:call:start", () => undefined);
    const session = await connectSession(plain, `tcp://127.0.0.1:${port}`, {
      around: watching.around,
      handlers: { news: (message) => heard(message.length) },
    });
    let told = 0;
    return {
      // Each event answers a promise. Awaiting one of a hundred is the backpressure: as many may wait for room.
      event(message) {
        const fate = session.remote.tell(message);
        return (told += 1) % 100 === 0 ? fate : undefined;
      },
      call: (message) => session.remote.ask(message),
    };
  },
});

/** The same with an object of five fields; the bytes of the benchmark stand for it on both sides. */
const zocaloZod: Peer = {
  async serve(handlers: Handlers): Promise<Serving> {
    const message = Buffer.alloc(64, 3);
    const check = (reading: z.infer<typeof Reading>): void => {
      if (reading.sequence !== READING.sequence) throw new Error("a message was not what was sent");
    };
    const server = await serveSessions(checked, PLACE, {
      ...LIMITS,
      handlers: {
        tell: (reading) => {
          check(reading);
          handlers.event(message);
        },
        ask: (reading) => reading,
      },
    });
    return { port: server.localAddress.port };
  },
  async open(port: number): Promise<Link> {
    const session = await connectSession(checked, `tcp://127.0.0.1:${port}`);
    return {
      event: () => session.remote.tell(READING),
      async call(message) {
        const { sequence } = await session.remote.ask(READING);
        if (sequence !== READING.sequence) throw new Error("an answer was not what was sent");
        return message;
      },
    };
  },
};

/** By the name that the benchmark gives them. */
export const peers: Readonly<Record<string, Peer>> = {
  zocalo: zocalo(),
  "zocalo-zod": zocaloZod,
  "zocalo-metrics": zocalo({ metrics: true }),
  "zocalo-around": zocalo({ around: (_message, next) => next() }),
  "zocalo-traced": zocalo({}, true),
  "zocalo-memory": zocalo({}, false, () => memoryJournal()),
  "zocalo-file": zocalo({}, false, ownFile),
};

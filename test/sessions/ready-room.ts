/** A room whose clients must be made ready: a server, and a visitor behind a detour. */

import { nodeNetwork } from "../../src/index.ts";
import {
  call,
  contract,
  event,
  type Session,
  type SessionClientOptions,
  type SessionEnd,
  stream,
  typeOnly,
} from "../../src/protocol.ts";
import { ManualClock } from "../../src/testing.ts";
import { Detour } from "./detour.ts";
import { connectSession, serveSessions } from "./opened.ts";

const room = contract("room", "1.0.0", {
  server: {
    join: call<string, string>(),
    say: event<string>(),
    ask: call<string, string>(),
    never: call(),
    rows: stream({ sends: typeOnly<number>() }),
  },
  client: { confirm: call<string, string>() },
});
export type RoomSession = Session<typeof room.server>;
type Options = Partial<SessionClientOptions<typeof room.server, Record<string, unknown>>> & {
  readonly handlers?: object;
};

/** A server, and what it was told, in order. */
async function serve(clock: ManualClock, more: object = {}) {
  const log: string[] = [];
  const ends: SessionEnd[] = [];
  const server = await serveSessions(room, "tcp://127.0.0.1:0", {
    network: { ...nodeNetwork, clock },
    handlers: {
      join: async (name, { session }) => {
        log.push(`join ${name}`);
        return await session.remote.confirm(name);
      },
      say: (text) => void log.push(text),
      ask: (text) => {
        log.push(text);
        return text;
      },
      never: () => new Promise<never>(() => undefined),
      rows: () => [1, 2, 3],
    },
    onClose: (_session, end) => void ends.push(end),
    ...more,
  });
  return { server, log, ends };
}

/** A client of the room, behind a detour, with the errors that it is told. */
export async function visit(options: Options) {
  const clock = new ManualClock(nodeNetwork.clock);
  const first = await serve(clock);
  const detour = await Detour.to(first.server.localAddress.port);
  const told: unknown[] = [];
  const opening = connectSession(room, detour.address, {
    network: { ...nodeNetwork, clock },
    reconnect: { initialDelayMs: 10, maxDelayMs: 10 },
    onError: (error) => told.push(error),
    ...options,
    handlers: { confirm: (name) => name, ...options.handlers },
  });
  opening.catch(() => undefined);
  /** Another process takes the place of the server. */
  let { server } = first;
  const leave = async () => {
    detour.closed = true;
    await server.close({ reconnectSpreadMs: 0, timeoutMs: 0 });
  };
  const restart = async () => {
    await leave();
    const next = await serve(clock);
    ({ server } = next);
    detour.leadTo(next.server.localAddress.port);
    detour.closed = false;
    return next;
  };
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await clock.advance(10);
  };
  return { clock, first, detour, told, opening, leave, restart, until };
}

export const code = (error: unknown): unknown => (error as { code?: unknown }).code;

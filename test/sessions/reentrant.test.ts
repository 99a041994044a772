/** Programs that use their session, or end it, inside the calls that it makes to them. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeNetwork } from "../../src/index.ts";
import { call, contract, event, type Session, type SessionServer, stream, typeOnly } from "../../src/protocol.ts";
import { ManualClock } from "../../src/testing.ts";
import { nothingEscapes } from "../hostile/escapes.ts";
import { gate } from "../fixtures/gate.ts";
import { connectSession, serveSessions } from "./opened.ts";
import { ack, callFrame, eventFrame, RawClient } from "./raw-client.ts";

nothingEscapes();

/** So many turns of the event loop must be enough for closed sockets to go. */
const TURNS = 1000;

/** Both sides offer the same. */
const side = {
  tell: event<string>(),
  ask: call<string, string>(),
  flow: stream({ sends: typeOnly<number>(), receives: typeOnly<number>() }),
};
const mirror = contract("mirror", "1.0.0", { server: side, client: side });
type Either = Session<typeof side>;
type Server = SessionServer<typeof side>;

/** What a program does; `server` is undefined at a client. */
const actions: Readonly<Record<string, (session: Either, server: Server | undefined) => unknown>> = {
  "close at once": (session) => session.close({ timeoutMs: 0 }),
  "close, and wait for nothing": (session) => void session.close({ timeoutMs: 0 }),
  abort: (session) => session.abort(new Error("enough")),
  close: (session) => session.close(),
  "close twice, at once and in order, abort": (session) => {
    const closing = [session.close({ timeoutMs: 0 }), session.close({ timeoutMs: 0 }), session.close()];
    session.abort();
    return Promise.all(closing);
  },
  "close the server": (session, server) => (server ?? session).close({ timeoutMs: 0 }),
  "close the server, and wait for nothing": (session, server) => void (server ?? session).close(),
  "join, broadcast, leave": (session, server) => {
    const group = server?.group("g");
    group?.join(session);
    group?.remote.tell("all");
    server?.remote.tell("all");
    group?.leave(session);
  },
  "call the peer": (session) => session.remote.ask("plain").catch(() => "over"),
  "open 1,000 streams": (session) => {
    const streams = Array.from({ length: 1000 }, () => session.remote.flow());
    for (const [index, items] of streams.entries()) if (index % 2 === 0) items.abort();
  },
  throw: () => {
    throw new Error("thrown");
  },
  reject: () => Promise.reject(new Error("rejected")),
};

/** Where it does it. */
const places = ["begin", "onClose", "tell", "ask", "flow", "closed", "signal"] as const;

type Act = (session: Either, server?: Server) => unknown;

/** The options of either side: `act` is called at the place, the first time. */
function optionsOf(isServer: boolean, place: string, act: Act, began?: (session: Either) => void) {
  const handle = (message: string, { session, server }: { readonly session: Either; readonly server?: Server }) =>
    message === "plain" ? undefined : act(session, server);
  const handlers = {
    tell: (message: string, context: { readonly session: Either }) =>
      place === "tell" ? handle(message, context) : undefined,
    ask: async (message: string, context: { readonly session: Either }) => {
      if (place === "ask") await handle(message, context);
      return "answer";
    },
    flow: async (_nothing: unknown, items: AsyncIterable<number>, context: { readonly session: Either }) => {
      if (place === "flow") await handle("flow", context);
      for await (const item of items) assert.fail(`nobody sent ${item}`);
    },
  };
  return {
    handlers,
    [isServer ? "onOpen" : "onReady"]: (session: Either, server?: Server) => {
      began?.(session);
      if (place === "closed") void session.closed.then(() => act(session, server)).catch(() => undefined);
      if (place === "signal") session.signal.addEventListener("abort", () => void tried(() => act(session, server)));
      return place === "begin" ? act(session, isServer ? server : undefined) : undefined;
    },
    onClose: (session: Either, _end: unknown, server?: Server) =>
      place === "onClose" ? act(session, server) : undefined,
  };
}

async function tried(act: () => unknown): Promise<void> {
  try {
    await act();
  } catch {
    // As the program would.
  }
}

for (const at of ["server", "client"] as const) {
  for (const place of places) {
    test(`at the ${at}, in ${place}: whatever the program does there, both sides come to their end`, async () => {
      for (const [name, action] of Object.entries(actions)) {
        const clock = new ManualClock(nodeNetwork.clock);
        const network = { ...nodeNetwork, clock };
        const acted = { times: 0 };
        const act: Act = (session, server) => {
          acted.times += 1;
          return acted.times === 1 ? action(session, server) : undefined;
        };
        const actAt = (here: string): Act => (at === here ? act : () => undefined);
        const server = await serveSessions(mirror, "tcp://127.0.0.1:0", {
          ...optionsOf(true, place, actAt("server")),
          network,
        });
        const began = gate<Either>();
        const opening = connectSession(mirror, server.localAddress, {
          ...optionsOf(false, place, actAt("client"), began.open),
          network,
          reconnect: false,
        });
        const session = await began.opened;
        const opened = tried(() => opening);
        if (place !== "begin") await opened;
        // From the other side than the one that acts.
        const other: Either = at === "server" ? session : ([...server.sessions.values()][0] ?? session);
        await tried(() => other.remote.tell("act"));
        const [answer, items] = [other.remote.ask("act"), other.remote.flow()];
        items.end();
        const done = { answer: false };
        void tried(() => answer).then(() => {
          done.answer = true;
        });
        // A handler that waits for the end of its own session waits until the time of `close` is over.
        while (!done.answer) await clock.advance(1);
        await session.close({ timeoutMs: 0 });
        await server.close({ timeoutMs: 0 });
        await session.closed;
        while (acted.times === 0) await clock.turn();
        const { sessions, unauthenticated, heldBytes } = server.stats;
        assert.deepEqual([sessions, unauthenticated, heldBytes], [0, 0, 0], name);
        // A stream's handler that waits for the end of its own session waits until the time of `close` is over.
        for (let turn = 0; turn < TURNS && clock.pending > 0; turn += 1) await clock.advance(10);
        assert.equal(clock.pending, 0, `${name}: a timer was left`);
      }
    });
  }
}

test("a handler that could not start before closes the session: the connection ends, though the peer does nothing", async () => {
  const over = gate();
  const server = await serveSessions(mirror, "tcp://127.0.0.1:0", {
    // One answer that is not acknowledged fills the buffer.
    resume: { maxReplayMessages: 1 },
    handlers: {
      tell: (_message, { session }) => void session.close({ timeoutMs: 0 }),
      ask: (message) => (message === "hello" ? "answer" : new Promise(() => undefined)),
      flow: () => undefined,
    },
    onClose: () => over.open(),
  });
  const client = await RawClient.to(server.localAddress.port);
  await client.hello("mirror");
  client.send(0x41, callFrame(1, 0, "hello"));
  client.send(0x41, callFrame(3, 0, "never answered"));
  client.send(0x40, eventFrame(2, "bye"));
  await client.frameOf(0x42);
  client.send(0x10, ack(1));
  await client.frameOf(0x15);
  await over.opened;
  assert.equal(await client.untilEnd(), "fin");
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import {
  type Contract,
  call,
  contract,
  event,
  connectSession,
  type Session,
  type SessionServer,
  serveSessions,
  stream,
  typeOnly,
} from "../../src/protocol.ts";

/* What must compile, and what must not. The functions here are compiled, and never run. */

const chat = contract("chat", "1.0.0", {
  server: {
    join: call(z.object({ room: z.string(), limit: z.coerce.number().default(5) }), z.array(z.string())),
    say: event<string>(),
    ping: call(),
    history: stream({ request: typeOnly<{ room: string }>(), sends: typeOnly<number>() }),
    upload: stream({ receives: typeOnly<string>() }),
    count: call(z.string()),
  },
  client: { said: event<{ from: string }>() },
});
const silent = contract("silent", "1.0.0", { client: { told: event<string>() } });

const handlers = {
  join: ({ limit }: { limit: number }) => [String(limit)],
  say: () => undefined,
  ping: () => undefined,
  history: () => [1, 2],
  upload: () => undefined,
  count: () => undefined,
};

const deaf = contract("deaf", "1.0.0", { server: { ask: call(z.string(), z.string()) } });

export async function server(): Promise<void> {
  // @ts-expect-error -- The contract's server offers something: handlers are required.
  await serveSessions(chat, "tcp://x:1", {});
  const { say: _say, ...rest } = handlers;
  // @ts-expect-error -- One handler is missing.
  await serveSessions(chat, "tcp://x:1", { handlers: rest });
  // @ts-expect-error -- The response is not what the contract says.
  await serveSessions(chat, "tcp://x:1", { handlers: { ...handlers, join: () => 42 } });
  // @ts-expect-error -- The items are not what the contract says.
  await serveSessions(chat, "tcp://x:1", { handlers: { ...handlers, history: () => ["text"] } });
  // @ts-expect-error -- The options are missing.
  await serveSessions(chat, "tcp://x:1");
  // A server that offers nothing needs no handlers, and no options.
  await serveSessions(silent, "tcp://x:1", {});
  const quiet: SessionServer<typeof silent.client> = await serveSessions(silent, "tcp://x:1");
  quiet.remote.told("x");
  const typed: SessionServer<typeof chat.client, { seats: number }> = await serveSessions(chat, "tcp://x:1", {
    data: async () => ({ seats: 3 }),
    handlers: {
      ...handlers,
      join: ({ room, limit }, { session, server: own, deadline, signal }) => {
        session.data.seats += limit;
        // @ts-expect-error -- The data has no such member.
        session.data.rooms = 1;
        void session.remote.said({ from: room });
        own.group(room).remote.said({ from: "x" });
        return [String(deadline), String(signal.aborted)];
      },
    },
  });
  // @ts-expect-error -- There is no such event.
  void typed.remote.says;
  // @ts-expect-error -- The message is not what the contract says.
  typed.remote.said({ to: "x" });
}

export async function client(): Promise<void> {
  // @ts-expect-error -- The contract's client offers something: handlers are required.
  await connectSession(chat, "tcp://x:1");
  const session: Session<typeof chat.server> = await connectSession(chat, "tcp://x:1", { handlers: { said: () => 1 } });
  const names: string[] = await session.remote.join({ room: "plaza" });
  // @ts-expect-error -- The question is not what the contract says.
  await session.remote.join({ rooms: "plaza" });
  // @ts-expect-error -- The question is missing.
  await session.remote.join();
  // @ts-expect-error -- An event has no answer.
  const answer: string = await session.remote.say("x");
  // @ts-expect-error -- The client calls the server's methods, not its own.
  const { said } = session.remote;
  void said;
  const nothing: undefined | void = await session.remote.count("x");
  await session.remote.ping();
  await session.remote.ping(undefined, { timeoutMs: 5 });
  for await (const item of session.remote.history({ room: "x" })) {
    const number: number = item;
    void number;
  }
  // @ts-expect-error -- The client cannot send in a stream that only the server sends.
  await session.remote.history({ room: "x" }).send(1);
  await session.remote.upload().send("x");
  // @ts-expect-error -- The items are not what the contract says.
  await session.remote.upload().send(1);
  // A client that offers nothing needs no options.
  const plain: Session<typeof deaf.server> = await connectSession(deaf, "tcp://x:1");
  const words: string = await plain.remote.ask("x");
  // @ts-expect-error -- There is no such option.
  await connectSession(deaf, "tcp://x:1", { limit: {} });
  // @ts-expect-error -- A contract of which nothing is known may need handlers.
  await connectSession(deaf as Contract, "tcp://x:1");
  void [names, answer, nothing, words];
}

test("the types of sessions compile as they must", () => {
  assert.equal(typeof server, "function");
  assert.equal(typeof client, "function");
});

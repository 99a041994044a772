import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeNetwork } from "../../src/index.ts";
import { call, contract, event, RemoteError } from "../../src/protocol.ts";
import { ManualClock } from "../../src/testing.ts";
import { connectSession, serveSessions } from "./opened.ts";
import { gate } from "../fixtures/gate.ts";

const chat = contract("chat", "1.0.0", {
  server: {
    join: call<{ room: string }, { members: number }>(),
    say: event<string>(),
    fail: call<string, never>(),
    wait: call(),
  },
  client: { said: event<string>(), confirm: call<string, boolean>() },
});

async function startChat() {
  const errors: unknown[] = [];
  const server = await serveSessions(chat, "tcp://127.0.0.1:0", {
    data: () => ({ room: "" }),
    handlers: {
      join({ room }, { session, server: chatServer }) {
        session.data.room = room;
        chatServer.group(room).join(session);
        return { members: chatServer.group(room).size };
      },
      say: (text, { session, server: chatServer }) => chatServer.group(session.data.room).remote.said(text),
      fail: (text) => {
        if (text === "known") throw new RemoteError("ROOM_FULL", "the room is full", { data: { seats: 12 } });
        throw new Error(text);
      },
      wait: (_input, { signal }) => new Promise((resolve) => signal.addEventListener("abort", () => resolve())),
    },
    onError: (error) => {
      errors.push(error);
    },
  });
  return { server, errors };
}

test("calls and events go both ways over TCP", async () => {
  const { server } = await startChat();
  const heard: string[] = [];
  const { open: tell, opened: complete } = gate();
  const session = await connectSession(chat, server.localAddress, {
    handlers: {
      said(text) {
        heard.push(text);
        if (heard.length === 3) tell();
      },
      confirm: (question) => question === "yes?",
    },
  });
  assert.deepEqual(await session.remote.join({ room: "plaza" }), { members: 1 });
  for (const text of ["a", "b", "c"]) await session.remote.say(text);
  await complete;
  assert.deepEqual(heard, ["a", "b", "c"]);
  const [served] = [...server.sessions.values()];
  assert.equal(served?.id, session.id);
  assert.equal(await served?.remote.confirm("yes?"), true);
  assert.equal(await served?.remote.confirm("no?"), false);
  assert.equal(session.state, "open");
  await session.close({ timeoutMs: 0 });
  assert.equal(session.state, "closed");
  assert.equal((await session.closed).error, undefined);
  await server.close({ timeoutMs: 0 });
  assert.equal(server.stats.sessions, 0);
});

test("a handler's RemoteError crosses the wire with code and data; anything else is INTERNAL and told to onError", async () => {
  const { server, errors } = await startChat();
  const handlers = { said: () => undefined, confirm: () => true };
  const session = await connectSession(chat, server.localAddress, { handlers });
  await assert.rejects(session.remote.fail("known"), (error) => {
    assert.ok(error instanceof RemoteError);
    assert.deepEqual([error.code, error.message, error.data], ["ROOM_FULL", "the room is full", { seats: 12 }]);
    return true;
  });
  assert.equal(errors.length, 0);
  await assert.rejects(session.remote.fail("secret"), (error) => {
    assert.ok(error instanceof RemoteError);
    assert.deepEqual([error.code, error.message], ["INTERNAL", "the handler failed"]);
    return true;
  });
  assert.equal((errors[0] as Error).message, "secret");
});

test("a call ends by its time-out and by its signal, and its handler is told", async () => {
  const { server } = await startChat();
  const handlers = { said: () => undefined, confirm: () => true };
  const clock = new ManualClock(nodeNetwork.clock);
  const network = { ...nodeNetwork, clock };
  const session = await connectSession(chat, server.localAddress, { handlers, network });
  const late = assert.rejects(session.remote.wait(undefined, { timeoutMs: 10 }), {
    code: "TIMEOUT",
    outcome: "unknown",
    op: "wait",
    local: String(session.localAddress),
    remote: String(session.remoteAddress),
  });
  await clock.advance(10);
  await late;
  const controller = new AbortController();
  const waiting = session.remote.wait(undefined, { signal: controller.signal });
  controller.abort(new Error("enough"));
  await assert.rejects(waiting, { message: "enough" });
  await session.remote.join({ room: "x" });
  const [served] = [...server.sessions.values()];
  assert.equal(served?.stats.runningCalls, 0);
});

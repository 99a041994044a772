import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { nodeNetwork } from "../../src/index.ts";
import { call, contract, type Session } from "../../src/protocol.ts";
import { ManualClock } from "../../src/testing.ts";
import { openHandles } from "../soak/outcome.ts";
import { Detour } from "./detour.ts";
import { connectSession, serveSessions } from "./opened.ts";

/* A client whose server has gone tries to come back, and keeps its process alive meanwhile: nothing of that may outlive it. */

const room = contract("room", "1.0.0", { server: { who: call<void, string>() } });

type Client = Session<typeof room.server>;

/** Where a client is caught that has lost its server. */
const places = {
  "in the pause before an attempt": async (clock: ManualClock, session: Client) => {
    while (session.state !== "detached") await clock.turn();
    assert.ok(clock.pending > 0);
  },
  "in an attempt": async (clock: ManualClock, session: Client, detour: Detour) => {
    // Nobody answers its hello.
    detour.silent = true;
    while (session.state !== "detached") await clock.turn();
    const { accepted } = detour;
    await clock.advance(100);
    while (detour.accepted === accepted) await clock.turn();
  },
} as const;

for (const [place, reach] of Object.entries(places)) {
  for (const way of ["close", "abort"] as const) {
    test(`${way} ends a client at once that has lost its server, ${place}`, async () => {
      const clock = new ManualClock(nodeNetwork.clock);
      const server = await serveSessions(room, "tcp://127.0.0.1:0", { handlers: { who: () => "you" } });
      const detour = await Detour.to(server.localAddress.port);
      const session = await connectSession(room, detour.address, { network: { ...nodeNetwork, clock } });
      assert.equal(await session.remote.who(), "you");
      detour.cut("reset");
      await reach(clock, session, detour);
      await session[way]();
      assert.equal(session.state, "closed");
      assert.equal((await session.closed).error?.code, way === "abort" ? "CONNECTION_ABORTED" : undefined);
      detour.close();
      await server.close({ timeoutMs: 0 });
      while (openHandles().length > 0) await clock.turn();
      assert.equal(clock.pending, 0, "a timer was left");
    });
  }
}

test("server.close leaves no timer and no socket, at the server and at a client that does not come back", async () => {
  const clock = new ManualClock(nodeNetwork.clock);
  const network = { ...nodeNetwork, clock };
  const server = await serveSessions(room, "tcp://127.0.0.1:0", { network, handlers: { who: () => "you" } });
  const session = await connectSession(room, server.localAddress, { network, reconnect: false });
  assert.equal(await session.remote.who(), "you");
  // The deadlines of the heartbeat are there.
  assert.ok(clock.pending > 0);
  await server.close({ timeoutMs: 0 });
  assert.equal((await session.closed).error, undefined);
  while (openHandles().length > 0) await clock.turn();
  assert.equal(clock.pending, 0, "a timer was left");
});

test("a program that has closed what it opened ends by itself, whatever it has left undone", async () => {
  const protocol = JSON.stringify(new URL("../../src/protocol.js", import.meta.url).href);
  for (const end of [
    "await session.close(); await server.close();",
    "await server.close(); await session.close();",
    "session.abort(); void server.close();",
    "void session.close({ timeoutMs: 1 }); void server.close({ timeoutMs: 1 });",
  ]) {
    const program = `
      import { call, contract, event, connectSession, serveSessions, stream, typeOnly } from ${protocol};
      const room = contract("room", "1.0.0", {
        server: { say: event(), stuck: call(), flow: stream({ receives: typeOnly() }) },
      });
      const never = () => new Promise(() => undefined);
      const server = await serveSessions(room, "tcp://127.0.0.1:0", { handlers: { say: never, stuck: never, flow: never } });
      const session = await connectSession(room, server.localAddress, { signal: new AbortController().signal });
      for (let count = 0; count < 10; count += 1) {
        void session.remote.say();
        void session.remote.stuck(undefined, { timeoutMs: 60_000, signal: session.signal });
        void session.remote.flow(undefined, { timeoutMs: 60_000 }).send("x");
      }
      server.group("g").join([...server.sessions.values()][0]);
      process.on("warning", () => process.exit(3));
      ${end}
    `;
    const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    assert.deepEqual(await once(child, "exit"), [0, null], end);
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { type ReadyReport } from "../../src/protocol.ts";
import { gate, nextTurn } from "../fixtures/gate.ts";
import { type RoomSession, visit } from "./ready-room.ts";

/* `onReady`: a client makes a session ready, the first one and each that follows; all else waits for that. */

test("the first session: connectSession resolves when onReady is done, which may ask for several things", async () => {
  const reports: ReadyReport[] = [];
  const { opening, first } = await visit({
    onReady: async (session, report) => {
      reports.push(report);
      assert.equal(await session.remote.join("ana"), "ana");
      await session.remote.ask("state");
      await session.remote.say("here");
    },
  });
  const session = await opening;
  await session.remote.ask("first question");
  assert.deepEqual(first.log, ["join ana", "state", "here", "first question"]);
  assert.deepEqual(reports, [{ reason: "first", lost: [] }]);
});

test("a session that begins anew: what waits, and what is asked for meanwhile, is sent behind onReady, in order", async () => {
  const joining = gate();
  const goOn = gate();
  const reasons: string[] = [];
  const { opening, restart, until, detour } = await visit({
    onReady: async (session, { reason }) => {
      reasons.push(reason);
      await session.remote.join("ana");
      if (reason === "first") return;
      joining.open();
      await goOn.opened;
      await session.remote.ask("state");
    },
  });
  const session = await opening;
  detour.closed = true;
  const restarted = restart();
  await until(() => session.state === "detached");
  const asked = [session.remote.say("1"), session.remote.ask("2")];
  const { log } = await restarted;
  await until(() => log.length > 0);
  await joining.opened;
  assert.equal(session.state, "open");
  asked.push(session.remote.say("3"), session.remote.ask("4"));
  const rows: number[] = [];
  for await (const row of session.remote.rows()) rows.push(row);
  assert.deepEqual([rows, log], [[1, 2, 3], ["join ana"]]);
  assert.ok(session.stats.heldBytes > 0);
  goOn.open();
  await Promise.all(asked);
  assert.deepEqual(log, ["join ana", "state", "1", "2", "3", "4"]);
  assert.deepEqual(reasons, ["first", "server-left"]);
});

test("what a handler asks for while onReady runs goes out at once: onReady may wait for it", async () => {
  const { opening, first } = await visit({
    onReady: (session) => session.remote.join("ana"),
    handlers: {
      confirm: async (name: string, { session }: { readonly session: RoomSession }) =>
        await session.remote.ask(`who is ${name}`),
    },
  });
  await opening;
  assert.deepEqual(first.log, ["join ana", "who is ana"]);
});

test("a call that does not want to wait is refused while onReady runs, and was not sent", async () => {
  const goOn = gate();
  let within: RoomSession | undefined;
  const { opening, first } = await visit({
    whileAway: "reject",
    onReady: async (session) => {
      within = session;
      await session.remote.join("ana");
      await goOn.opened;
    },
  });
  while (first.log.length === 0) await nextTurn();
  await assert.rejects((within as RoomSession).remote.ask("now"), {
    code: "SESSION_AWAY",
    outcome: "none",
    message: /onReady has not finished/,
  });
  goOn.open();
  const session = await opening;
  assert.equal(await session.remote.ask("later"), "later");
  assert.deepEqual(first.log, ["join ana", "later"]);
});

test("onReady is not called when a session goes on, and goes on itself when its connection is lost", async () => {
  const goOn = gate();
  let times = 0;
  let resumed = 0;
  const { opening, detour, until, first } = await visit({
    onReady: async (session) => {
      times += 1;
      await session.remote.join("ana");
      await goOn.opened;
      await session.remote.ask("state");
    },
    onResume: () => (resumed += 1),
  });
  await until(() => first.log.length > 0);
  detour.cut("reset");
  await until(() => resumed === 1);
  goOn.open();
  const session = await opening;
  detour.cut("fin");
  await until(() => resumed === 2);
  await session.remote.ask("end");
  assert.deepEqual([times, first.log], [1, ["join ana", "state", "end"]]);
});

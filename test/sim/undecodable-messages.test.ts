import assert from "node:assert/strict";
import { test } from "node:test";
import type { Duplex } from "node:stream";
import { connect, type Network } from "../../src/index.ts";
import { call, contract, event, memoryJournal, serveSessions } from "../../src/protocol.ts";
import { check } from "../../src/sim.ts";
import { FaultyJournal } from "../../src/testing.ts";
import { callFrame, eventFrame, RawClient } from "../sessions/raw-client.ts";

/* Messages that cannot be decoded, on servers that die before they have kept what they did with them (docs/semantics.md, rule D15). */

const BROKEN = new Error("the schema is broken");
const throwing = {
  "~standard": {
    version: 1 as const,
    vendor: "test",
    validate: (): never => {
      throw BROKEN;
    },
  },
};
const desk = contract("desk", "1.0.0", {
  server: { ask: call<string, string>(), check: call(throwing), note: event<string>() },
});
/** In the order of their names. */
const [ASK, CHECK, NOTE, UNKNOWN] = [0, 1, 2, 99];
const [ACK, EVENT, CALL, RESULT, ERROR] = [0x10, 0x40, 0x41, 0x42, 0x43];
const NOT_JSON = Buffer.from("{");

const MESSAGES: readonly (readonly [number, Buffer])[] = [
  [EVENT, Buffer.concat([eventFrame(NOTE, 0).subarray(0, 2), NOT_JSON])],
  [EVENT, eventFrame(UNKNOWN, "nobody")],
  [CALL, Buffer.concat([callFrame(1, ASK), NOT_JSON])],
  [CALL, callFrame(3, CHECK, "any")],
  [CALL, callFrame(5, UNKNOWN, "nobody")],
  [CALL, callFrame(7, ASK, "good")],
];
/** One server more than a message has to end so that it is not handled again. */
const DEATHS = 4;
const WRITE_MS = 200;

test("messages that cannot be decoded end no server, are never taken for those that do, and are answered once one lives", async () => {
  await check({ seed: 1 }, async (world) => {
    const journal = memoryJournal({ clock: world.clock });
    const told: unknown[] = [];
    const host = world.host("server", async (network: Network) => {
      const slow = new FaultyJournal(journal, network.clock);
      slow.fault = (step) => (step === "commit" ? { delayMs: WRITE_MS } : {});
      await serveSessions(desk, "tcp://0.0.0.0:7000", {
        network,
        journal: slow,
        codecs: ["json"],
        onError: (error) => told.push(error),
        handlers: {
          ask: (text) => text,
          check: () => undefined,
          note: () => undefined,
        },
      });
    });
    const { network } = world.host("client");
    let welcome: Record<string, unknown> = {};
    const come = async (attempt: number): Promise<RawClient<Duplex>> => {
      const socket = await connect("tcp://server:7000", { network, retry: {} });
      const client = new RawClient(socket.interop.toNodeStream());
      const { session, token, server } = welcome;
      const counters = { attempt, received: 0, acknowledged: 0, sent: MESSAGES.length };
      const resume = attempt === 0 ? undefined : { session, token, server, ...counters };
      welcome = await client.hello("desk", { features: ["moves"], resume });
      assert.equal(welcome["fresh"], undefined, JSON.stringify(welcome));
      for (const [type, payload] of MESSAGES) client.send(type, payload);
      return client;
    };
    for (let death = 0; death < DEATHS; death += 1) {
      await come(death);
      await world.sleep(WRITE_MS / 4);
      assert.equal(told.filter((error) => error === BROKEN).length, death + 1);
      host.crash();
      await world.sleep(10);
      host.restart();
    }
    const client = await come(DEATHS);
    const answers = new Map<number, string>();
    for (let acknowledged = 0; acknowledged < MESSAGES.length || answers.size < 4; ) {
      const { type, payload } = await client.frame();
      if (type === ACK) acknowledged = Number(payload.readBigUInt64BE());
      if (type !== RESULT && type !== ERROR) continue;
      const body = JSON.parse(payload.toString("utf8", 4)) as string | { code: string };
      answers.set(payload.readUInt32BE(0), typeof body === "string" ? body : body.code);
    }
    const expected = [
      [1, "FRAME_INVALID"],
      [3, "INTERNAL"],
      [5, "METHOD_UNKNOWN"],
      [7, "good"],
    ];
    assert.deepEqual(
      [...answers].sort(([one], [other]) => one - other),
      expected,
    );
    // Each server was told the same: it has looked at all of them, and has refused none for what had happened before.
    const codes = told.map((error) => (error === BROKEN ? "broken" : (error as { code?: string }).code));
    const each = ["FRAME_INVALID", "METHOD_UNKNOWN", "FRAME_INVALID", "broken", "METHOD_UNKNOWN"];
    assert.deepEqual(codes, Array.from({ length: DEATHS + 1 }, () => each).flat());
    client.close();
    host.crash();
  });
});

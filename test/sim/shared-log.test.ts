import assert from "node:assert/strict";
import { test } from "node:test";
import type { Network } from "../../src/index.ts";
import {
  call,
  connectSession,
  contract,
  event,
  type ReadyReport,
  memoryJournal,
  serveSessions,
  type SessionJournal,
} from "../../src/protocol.ts";
import { check } from "../../src/sim.ts";
import { crash, cutOff, drawsOf, unreliable } from "../fixtures/unreliable-cluster.ts";

/* What is said to many, over several servers that die, are cut off and see their journal fail: each member hears it once, in order
 * (docs/semantics.md, rule D16). */

const chat = contract("chat", "1.0.0", {
  server: { join: call<string, number>(), say: call<string, number>() },
  client: { said: event<string>() },
});

interface Kept {
  room: string;
  count: number;
}

async function serveChat(network: Network, journal: SessionJournal) {
  return await serveSessions(chat, "tcp://0.0.0.0:7000", {
    network,
    journal,
    timeouts: { heartbeatMs: 200 },
    authenticate: ({ auth }) => String(auth),
    data: (): Kept => ({ room: "", count: 0 }),
    handlers: {
      join(room, { session, server }) {
        session.data.room = room;
        server.group(room).join(session);
        return server.group(room).size;
      },
      say(text, { session, server }) {
        session.data.count += 1;
        server.group(session.data.room).remote.said(`${session.principal} ${session.data.count}: ${text}`);
        return session.data.count;
      },
    },
  });
}

const NODES = ["a", "b", "c"] as const;
const MEMBERS = 6;
const SAYS = 20;

test("members of a group at three servers hear each message once and in order, whatever happens to the servers", async () => {
  for (let seed = 1; seed <= 25; seed += 1) {
    await check({ seed, link: { latency: 3 } }, async (world) => {
      const { below, oneIn } = drawsOf(world);
      const store = unreliable(world, memoryJournal({ clock: world.clock }), { delayMs: 4, failsOneIn: 10 });
      const hosts = NODES.map((name) =>
        world.host(name, async (network) => void (await serveChat(network, store.at(network)))),
      );
      const { network } = world.host("clients");
      const fresh: ReadyReport[] = [];
      const heard = Array.from({ length: MEMBERS }, (): string[] => []);
      const members = await Promise.all(
        heard.map(async (mine, index) => {
          const first = NODES[index % 3] as string;
          const addresses = [first, ...NODES.filter((name) => name !== first)].map((name) => `tcp://${name}:7000`);
          const session = await connectSession(chat, addresses, {
            network,
            auth: `m${index}`,
            timeouts: { heartbeatMs: 200 },
            reconnect: { initialDelayMs: 20, maxDelayMs: 100 },
            retry: {},
            onReady: (_session, report) => void (report.reason === "first" || fresh.push(report)),
            handlers: { said: (text) => void mine.push(text) },
          });
          await session.remote.join("plaza", { timeoutMs: Infinity });
          return session;
        }),
      );
      const answers = members.map((): Promise<number>[] => []);
      for (let round = 1; round <= SAYS; round += 1) {
        for (const [index, session] of members.entries())
          answers[index]?.push(session.remote.say(String(round), { timeoutMs: Infinity }));
        await world.sleep(below(8));
        const host = hosts[below(3)];
        if (host === undefined || !oneIn(4)) continue;
        if (oneIn(2)) await crash(world, host, 40);
        else await cutOff(world, "clients", host, 1500);
      }
      store.calm();
      const upTo = Array.from({ length: SAYS }, (_, index) => index + 1);
      for (const own of answers) assert.deepEqual(await Promise.all(own), upTo, `seed ${seed}: counts`);
      for (let turn = 0; turn < 1000 && heard.some((mine) => mine.length < MEMBERS * SAYS); turn += 1)
        await world.sleep(10);
      await world.sleep(1000);
      assert.deepEqual(fresh, [], `seed ${seed}`);
      for (const mine of heard) {
        assert.deepEqual(mine, heard[0], `seed ${seed}: all hear the same order`);
        for (let index = 0; index < MEMBERS; index += 1) {
          const of = mine.filter((text) => text.startsWith(`m${index} `));
          assert.deepEqual(
            of,
            upTo.map((round) => `m${index} ${round}: ${round}`),
            `seed ${seed}: m${index}`,
          );
        }
      }
      for (const session of members) await session.close({ timeoutMs: 0 });
    });
  }
});

/** The processes of bench/hostile.ts and of the soak: `server KIND`, `good KIND`, `attacker ATTACK`. */

import { setTimeout as sleep } from "node:timers/promises";
import { percentile } from "../harness/figures.ts";
import { type Figures, play, type Role } from "../harness/processes.ts";
import type { Attack, Done, Place } from "./attack.ts";
import { datagramAttacks } from "./datagram-attacks.ts";
import { listenerAttacks } from "./listener-attacks.ts";
import { sessionAttacks } from "./session-attacks.ts";
import { type Good, type Kind, kinds, type Target } from "./targets.ts";

const HOST = "127.0.0.1";
const PAUSE_MS = 1;
const word = process.argv[3] ?? "";
const attacks: Readonly<Record<string, Attack>> = { ...sessionAttacks, ...listenerAttacks, ...datagramAttacks };

const kind = (): Kind => kinds[word as keyof typeof kinds];
const placeOf = ({ port = 0 }: Figures): Place => ({ host: HOST, port });

function server(): Role {
  let target: Target | undefined;
  let begun = process.cpuUsage();
  return {
    serve: async () => {
      target = await kind().serve();
      return { port: target.port };
    },
    provoke: async () => {
      await target?.provoke?.();
      return {};
    },
    /** Since the last time: the time of the processor; and the memory of now. */
    load: () => {
      const { user, system } = process.cpuUsage(begun);
      begun = process.cpuUsage();
      const { rss } = process.memoryUsage();
      return { cpuMs: (user + system) / 1000, rss };
    },
  };
}

/** A client that keeps the rules, and times each answer; one that fails is counted, and begins anew. */
function good(): Role {
  let one: Good | undefined;
  return {
    /** For so long, or so many answers: with one connection, or with `visits` each with its own. */
    ask: async (input) => {
      const { forMs = Infinity, count = Infinity, visits = 0 } = input;
      const times: number[] = [];
      let failed = 0;
      const until = performance.now() + forMs;
      while (performance.now() < until && times.length + failed < count) {
        const startedAt = performance.now();
        try {
          one ??= await kind().open(placeOf(input));
          await one.ask();
          times.push(performance.now() - startedAt);
        } catch {
          failed += 1;
          await forget(one);
          one = undefined;
        }
        if (visits === 1) {
          await forget(one);
          one = undefined;
        }
        await sleep(PAUSE_MS);
      }
      const sorted = Float64Array.from(times).sort();
      return { answers: times.length, failed, p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) };
    },
  };
}

async function forget(one: Good | undefined): Promise<void> {
  await one?.close();
}

function attacker(): Role {
  const done: Done = { bytes: 0, connects: 0 };
  const stop = new AbortController();
  let isOver = false;
  return {
    start: ({ port = 0, bytesPerSecond = 0, maxBytes = 0, connectsPerSecond = 0, maxConnects = 0 }) => {
      const attack = attacks[word] as Attack;
      const bounds = { bytesPerSecond, maxBytes, connectsPerSecond, maxConnects };
      const running = attack({ host: HOST, port }, bounds, done, stop.signal);
      void running.then(() => (isOver = true));
      return {};
    },
    /** What has been done; `isOver` is 1 when the bounds are reached. */
    done: () => ({ ...done, isOver: isOver ? 1 : 0 }),
    stop: () => {
      stop.abort();
      return {};
    },
  };
}

play({ server, good, attacker });

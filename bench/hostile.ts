/**
 * Attacks: what a client that keeps the rules feels of them. Three processes on loopback: the server with the limits of its
 * defaults, a good client that asks one question after the other, quiet first and then beside the attack, and the attacker. An
 * attack below 5 MB/s may make the median at most five times as long. Words choose the rows whose names have one of them;
 * `ROUNDS` (3) is how often each is played.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { median } from "./harness/figures.ts";
import type { Figures } from "./harness/processes.ts";
import { play, type Scene, SCENES } from "./hostile/scenes.ts";

const ROUNDS = Number(process.env["ROUNDS"] ?? 3);
const WARM_UP_MS = 500;
const QUIET_MS = 1500;
const LEAD_MS = 1000;
const MEASURED_MS = 4000;
const MOST = 5;

async function round(scene: Scene): Promise<Figures> {
  const visits = scene.visits === true ? 1 : 0;
  return await play(scene, async ({ server, good, attacker, port }, begin) => {
    await good.ask("ask", { port, visits, forMs: WARM_UP_MS });
    const quiet = await good.ask("ask", { port, visits, forMs: QUIET_MS });
    await begin();
    await sleep(LEAD_MS);
    await server.ask("load");
    const before = await attacker.ask("done");
    const startedAt = performance.now();
    const beside = await good.ask("ask", { port, visits, forMs: MEASURED_MS });
    const seconds = (performance.now() - startedAt) / 1000;
    const after = await attacker.ask("done");
    const { cpuMs = 0, rss = 0 } = await server.ask("load");
    const rate = (what: string): number => ((after[what] ?? 0) - (before[what] ?? 0)) / seconds;
    return {
      ratio: (beside["p50"] ?? Number.NaN) / (quiet["p50"] ?? Number.NaN),
      quiet: quiet["p50"] ?? Number.NaN,
      p50: beside["p50"] ?? Number.NaN,
      p99: beside["p99"] ?? Number.NaN,
      answers: beside["answers"] ?? 0,
      failed: beside["failed"] ?? 0,
      bytes: rate("bytes"),
      connects: rate("connects"),
      cpu: cpuMs / 10 / seconds,
      rss,
    };
  });
}

function tell(scene: Scene, rounds: readonly Figures[]): void {
  const of = (name: string): number => median(rounds.map((figures) => figures[name] ?? Number.NaN));
  const failed = rounds.reduce((sum, figures) => sum + (figures["failed"] ?? 0), 0);
  const met = of("ratio") <= MOST && failed === 0;
  const attack = [
    `${(of("bytes") / 1e6).toFixed(2)} MB/s`,
    `${of("connects").toFixed(0)} connections/s`,
    `server ${of("cpu").toFixed(0)} %, ${(of("rss") / 1e6).toFixed(0)} MB`,
  ];
  const times = `p50 ${of("quiet").toFixed(2)} -> ${of("p50").toFixed(2)} ms, p99 ${of("p99").toFixed(1)} ms`;
  const fate = `${of("answers").toFixed(0)} answers, ${failed} failed`;
  console.log(`${scene.name.padEnd(52)} ${of("ratio").toFixed(2)}x  wanted <= ${MOST}: ${met ? "met" : "MISSED"}`);
  console.log(`    ${times}; ${fate}; ${attack.join(", ")}`);
}

const words = process.argv.slice(2);
for (const scene of SCENES) {
  if (words.length > 0 && !words.some((word) => scene.name.includes(word))) continue;
  const rounds: Figures[] = [];
  for (let count = 0; count < ROUNDS; count += 1) rounds.push(await round(scene));
  tell(scene, rounds);
}

/**
 * Every attack of bench/hostile against good clients, `SOAK_ATTACK_BYTES` (20000000) bytes or `SOAK_ATTACK_CONNECTS` (2000)
 * connections of each. A good client must get all its answers, and, of an attack that ends by itself, `SOAK_ANSWERS` (20) of
 * them before the attack has done all that it may.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { play, type Scene, SCENES } from "../../bench/hostile/scenes.ts";
import { conclude, countOf, watchForEscapes } from "./outcome.ts";

/** A server that is hurt answers late; only one that is lost needs longer. */
const LOST_MS = 120_000;
const LOOK_MS = 100;

const answers = countOf("SOAK_ANSWERS", 20);
const maxBytes = countOf("SOAK_ATTACK_BYTES", 20_000_000);
const maxConnects = countOf("SOAK_ATTACK_CONNECTS", 2000);
const problems: string[] = [];
watchForEscapes(problems);

/** What a good client has met; undefined when that is nothing. */
async function hurtBy(scene: Scene): Promise<string | undefined> {
  const bounds = {
    ...scene.bounds,
    maxBytes,
    maxConnects: Math.min(maxConnects, scene.bounds?.maxConnects ?? Infinity),
  };
  const visits = scene.visits === true ? 1 : 0;
  return await play({ ...scene, bounds }, async ({ good, attacker, port }, begin) => {
    await good.ask("ask", { port, visits, count: 1 });
    await begin();
    const served = { now: false };
    const asking = good.ask("ask", { port, visits, count: answers, forMs: LOST_MS }).finally(() => (served.now = true));
    let isStarved = false;
    while (!isStarved && !served.now) {
      await sleep(LOOK_MS);
      const { isOver } = await attacker.ask("done");
      isStarved = isOver === 1 && !served.now;
    }
    const { answers: got = 0, failed = 0 } = await asking;
    if (failed > 0) return `${failed} questions failed`;
    if (got < answers) return `only ${got} answers in ${LOST_MS} ms`;
    return isStarved ? "the attack was over before its answers were there" : undefined;
  });
}

for (const scene of SCENES) {
  try {
    const problem = await hurtBy(scene);
    console.log(`hostile: ${scene.name}: ${problem ?? "served"}`);
    if (problem !== undefined) problems.push(`${scene.name}: ${problem}`);
  } catch (error) {
    problems.push(`${scene.name}: ${String(error)}`);
  }
}
conclude("hostile", problems);

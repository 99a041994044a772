/** Runs a program in workers that share its ports: `primary program [count]`. SIGHUP replaces them one by one; SIGTERM ends all. */

import cluster, { type Worker } from "node:cluster";
import { once } from "node:events";

const [program = "", count = "2"] = process.argv.slice(2);
const workers = new Set<Worker>();
let isEnding = false;
let work: Promise<unknown> = Promise.resolve();

/** One thing after the other. */
function inTurn(act: () => Promise<unknown>): void {
  work = work.then(act);
}

/** Starts a worker, and answers whether it serves. One that ends unasked is replaced, a second later. */
async function start(): Promise<boolean> {
  const worker = cluster.fork();
  const ended = once(worker, "exit").then(() => false);
  const serves = await Promise.race([once(worker, "message").then(() => true), ended]);
  if (serves) workers.add(worker);
  void ended.then(() => {
    if (workers.delete(worker) && !isEnding) setTimeout(() => inTurn(start), 1_000);
  });
  return serves;
}

/** Lets a worker finish what it does. */
async function stop(worker: Worker): Promise<void> {
  if (!workers.delete(worker)) return;
  worker.process.kill("SIGTERM");
  await once(worker, "exit");
}

async function restart(): Promise<void> {
  for (const old of Array.from(workers)) {
    if (isEnding) return;
    if (!(await start())) return console.error("the program does not start; the workers that run go on");
    await stop(old);
  }
  console.log("restarted");
}

cluster.setupPrimary({ exec: program, args: [] });
// Each worker accepts by itself: what the primary hands to one that closes may be lost.
cluster.schedulingPolicy = cluster.SCHED_NONE;
process.on("SIGHUP", () => inTurn(restart));
for (const name of ["SIGTERM", "SIGINT"] as const) {
  process.on(name, () => {
    isEnding = true;
    inTurn(() => Promise.all([...workers].map(stop)));
  });
}
inTurn(async () => {
  for (let left = Number(count); left > 0; left -= 1) await start();
  console.log(`${workers.size} workers serve`);
  if (workers.size === 0) process.exitCode = 1;
});

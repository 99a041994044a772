/**
 * Sessions over several nodes, each a process, with clients in groups of ten over all of them: each message is said to the group,
 * each fifth is a call that counts in `session.data`. Beside it socket.io with its Redis Streams adapter and connection state recovery
 * does the same work in the same run. Words choose parts: `kills`, `stops`, `outages`, `leaving`, `crowd`, `deaf`, `rates`; without any all
 * run. `STORE` (nats, redis or file) keeps Zócalo's sessions; Redis keeps nothing on the disk for socket.io. `ROUNDS` (3) are
 * counted. Everything is in the memory and on the processors of one machine.
 */

import { spawnSync } from "node:child_process";
import { GROUPS_OF_TEN, playRound, type RoundPlan, startCluster, type TroubleName } from "./cluster/rounds.ts";
import { alternate, pick, type Series } from "./harness/alternate.ts";
import { percentile, show, showBar } from "./harness/figures.ts";
import { type Figures, start } from "./harness/processes.ts";
import { openPlaza } from "../src/cli/demo/plaza.ts";
import { installPeers } from "./protocol/install-peers.ts";

const ROUNDS = Number(process.env["ROUNDS"] ?? 3);
const STORE = process.env["STORE"] ?? "nats";
/** By what each kind keeps its sessions in. */
const STORES: Readonly<Record<string, string>> = { zocalo: STORE, "socket.io": "redis-in-memory" };
const PROGRAMS: Readonly<Record<string, string>> = { nats: "nats-server", redis: "redis-server" };
const NODES = 3;
const LOST = ["lost", "doubled", "outOfOrder", "wrong", "failed", "fresh", "continued"] as const;

/** Plays one round with nodes of its own, and answers its figures. */
async function round(kind: string, plan: RoundPlan, trouble: TroubleName, nodes = NODES): Promise<Figures> {
  const running = trouble === "leave" ? [0] : [];
  await using cluster = await startCluster(kind, STORES[kind] as string, nodes, ...running);
  const { awayMs, heardMs, ...counts } = await playRound(cluster, plan, trouble);
  const away = Float64Array.from(awayMs);
  return {
    ...counts,
    p50: percentile(heardMs, 0.5),
    p99: percentile(heardMs, 0.99),
    cpu: (counts.nodesMs * 1_000_000) / counts.wanted,
    awayP50: percentile(away, 0.5),
    awayP99: percentile(away, 0.99),
    awayMax: away.at(-1) ?? Number.NaN,
  };
}

/** By how much the memory of a node grows while one member talks and hears, and the process of so many others is stopped. */
async function deafMembers(count: number, messages: number): Promise<Figures> {
  await using cluster = await startCluster("zocalo", STORE, 1);
  const [port = 0] = cluster.nodes.ports;
  const deaf = start(new URL("./cluster/deaf.js", import.meta.url).href, "deaf", String(port), "plaza");
  try {
    await deaf.ask("join", { count });
    let heard = 0;
    let allHeard = (): void => undefined;
    const owner = {
      heard: () => void ((heard += 1) === messages && allHeard()),
      away: () => undefined,
      back: () => undefined,
    };
    const talker = await openPlaza([`tcp://127.0.0.1:${port}`], "plaza", owner);
    const [before = 0] = await cluster.nodes.ask("memory", "bytes");
    deaf.signal("SIGSTOP");
    const all = new Promise<void>((resolve) => (allHeard = resolve));
    for (let number = 1; number <= messages; number += 1) await talker.say({ from: 0, number, atMs: number });
    await all;
    const [after = 0] = await cluster.nodes.ask("memory", "bytes");
    return { kibibytes: (after - before) / 1024 };
  } finally {
    deaf.signal("SIGKILL");
    await deaf.ended;
  }
}

const both = (work: (kind: string) => Promise<Figures>): Promise<Series> =>
  alternate({ zocalo: () => work("zocalo"), "socket.io": () => work("socket.io") }, ROUNDS);

/** What was lost, in all rounds together. */
function showLosses(title: string, series: Series): void {
  for (const kind of Object.keys(series)) {
    const total = (figure: string): number => pick(series, kind, figure).reduce((sum, value) => sum + value, 0);
    const counts = LOST.map((name) => `${name} ${total(name)}`).join(", ");
    const all = `of ${total("wanted").toLocaleString("en-US")} deliveries and ${total("calls")} calls`;
    console.log(`${title}: ${kind}, ${pick(series, kind, "wanted").length} rounds: ${counts} ${all}`);
  }
}

function showAway(title: string, series: Series, kind: string, bars: readonly (number | undefined)[]): void {
  for (const [index, [name, figure]] of AWAY.entries()) {
    const target = kind === "zocalo" && bars[index] !== undefined ? { atMost: bars[index] } : undefined;
    showBar({ name: `${title}: ${kind}, ${name}`, values: pick(series, kind, figure), target, unit: "ms" });
  }
}

const AWAY = [
  ["away p50", "awayP50"],
  ["away p99", "awayP99"],
  ["away max", "awayMax"],
] as const;
const RATES = [1_500, 3_000, 6_000, 10_000, 12_000];
/** Wanted of the time from a message to its being heard, in milliseconds, by the rate. */
const HEARD_BARS: Readonly<Record<number, number>> = { 6_000: 25 };
/** Who is behind by more than this when all is said has not kept up. */
const BEHIND_MS = 2_000;

const parts: Readonly<Record<string, () => Promise<void>>> = {
  async kills() {
    const title = `${NODES - 1} of ${NODES} nodes killed at 3,000/s`;
    const series = await both((kind) => round(kind, { ...GROUPS_OF_TEN, rate: 3_000, seconds: 8 }, "kill"));
    showLosses(title, series);
    showAway(title, series, "zocalo", [50, 250, undefined]);
    showAway(title, series, "socket.io", []);
  },
  async stops() {
    const title = "a node stopped for 4 s at 1,500/s";
    const plan = { ...GROUPS_OF_TEN, rate: 1_500, seconds: 6 };
    const series = await alternate({ zocalo: () => round("zocalo", plan, "stop") }, ROUNDS);
    showLosses(title, series);
    showAway(title, series, "zocalo", []);
  },
  async outages() {
    if (PROGRAMS[STORE] === undefined) return;
    const title = `${PROGRAMS[STORE]} killed for 0.5 s at 1,500/s`;
    const plan = { ...GROUPS_OF_TEN, rate: 1_500, seconds: 6 };
    const series = await alternate({ zocalo: () => round("zocalo", plan, "outage") }, ROUNDS);
    showLosses(title, series);
    showBar({ name: `${title}: behind at the end`, values: pick(series, "zocalo", "behindMs"), unit: "ms" });
  },
  /** All clients are at the one node, and a second one is up. */
  async leaving() {
    const title = "SIGTERM, 500 clients, calls at 1,000/s";
    const plan = { members: 500, groupSize: 10, callEvery: 1, rate: 1_000, seconds: 6 };
    const series = await both((kind) => round(kind, plan, "leave", 2));
    showLosses(title, series);
    showAway(title, series, "zocalo", [300, undefined, 1_000]);
    showAway(title, series, "socket.io", []);
  },
  async crowd() {
    const title = "1 of 3 nodes killed, 1,000 sessions each";
    const plan = { members: 3_000, groupSize: 10, callEvery: 5, rate: 600, seconds: 10 };
    const series = await alternate({ zocalo: () => round("zocalo", plan, "kill one") }, ROUNDS);
    showLosses(title, series);
    showAway(title, series, "zocalo", [undefined, undefined, 1_500]);
  },
  /** What a session costs its server whose client never reads, however much is said to its group. */
  async deaf() {
    const series = await alternate(
      { none: () => deafMembers(0, 20_000), some: () => deafMembers(100, 20_000) },
      ROUNDS,
    );
    const none = pick(series, "none", "kibibytes");
    const values = pick(series, "some", "kibibytes").map((one, index) => (one - (none[index] as number)) / 100);
    const target = { atMost: 2 };
    showBar({ name: "a member that never reads, 20,000 messages of 1.6 MB later", values, target, unit: "KiB" });
  },
  async rates() {
    for (const rate of RATES) {
      const title = `${rate.toLocaleString("en-US")}/s to groups of 10`;
      const series = await both((kind) => round(kind, { ...GROUPS_OF_TEN, rate, seconds: 8 }, "none"));
      showLosses(title, series);
      const sides = (figure: string) => ({
        subject: pick(series, "zocalo", figure),
        baseline: pick(series, "socket.io", figure),
      });
      show({ name: `${title}: heard p50`, ...sides("p50"), unit: "ms" });
      show({ name: `${title}: the nodes' processors`, ...sides("cpu"), unit: "ns a delivery" });
      if (HEARD_BARS[rate] !== undefined) {
        const target = { atMost: HEARD_BARS[rate] };
        showBar({ name: `${title}: zocalo, heard p50`, values: pick(series, "zocalo", "p50"), target, unit: "ms" });
      }
      for (const kind of ["zocalo", "socket.io"]) {
        const target = kind === "zocalo" && rate <= 10_000 ? { atMost: BEHIND_MS } : undefined;
        showBar({
          name: `${title}: ${kind}, behind at the end`,
          values: pick(series, kind, "behindMs"),
          target,
          unit: "ms",
        });
      }
    }
  },
};

const words = process.argv.slice(2);
const needed = ["redis-server", ...(PROGRAMS[STORE] === undefined ? [] : [PROGRAMS[STORE]])];
const absent = needed.filter((name) => spawnSync("/bin/sh", ["-c", `command -v ${name}`]).status !== 0);
if (absent.length > 0) console.log(`not run: ${absent.join(", ")} is not installed`);
else {
  await installPeers();
  for (const [name, part] of Object.entries(parts)) if (words.length === 0 || words.includes(name)) await part();
}

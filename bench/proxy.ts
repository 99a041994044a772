/**
 * The fault proxy: what it costs without faults against Node's `pipe` and Debian's `socat` in the middle, in the same run, and how
 * exact its faults are. Who sends, who is in the middle and who receives are processes of their own. Words choose parts: `bulk`, `ping`,
 * `idle`, `latency`, `bandwidth`, `stalled`, `udp`; without any all run. A round of `idle` and of `stalled` takes a minute, most of it
 * until the memory is calm. `idle` needs 15,000 open files a process (`ulimit -n`), `udp` receive buffers of 4 MiB
 * (`net.core.rmem_max`).
 */

import { spawnSync } from "node:child_process";
import { alternate, pick, ROUNDS, type Series } from "./harness/alternate.ts";
import { median, show, showBar } from "./harness/figures.ts";
import { type Figures, type Player, start } from "./harness/processes.ts";
import { bulkThrough, pingStraight, pingThrough } from "./sockets/through.ts";

const ROLES = new URL("./proxy/roles.js", import.meta.url).href;
const SOCKET_ROLES = new URL("./sockets/roles.js", import.meta.url).href;
const BULK_BYTES = 4096 * 262_144;
const IDLE_CONNECTIONS = 5000;
const LATENCY_MS = 100;
const PER_SECOND = 100_000;
const MEBIBYTE = 1_048_576;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Starts roles, and stops them when the work is done. */
async function together<Roles extends readonly (readonly [file: string, name: string])[]>(
  roles: Roles,
  work: (...players: { [Index in keyof Roles]: Player }) => Promise<Figures>,
): Promise<Figures> {
  const players = roles.map(([file, name]) => start(file, name));
  try {
    return await work(...(players as { [Index in keyof Roles]: Player }));
  } finally {
    for (const player of players) player.stop();
  }
}

/** Megabytes that idle connections add to the process in the middle. */
async function idle(between: string): Promise<Figures> {
  const roles = [
    [SOCKET_ROLES, "rawHolder"],
    [ROLES, between],
    [SOCKET_ROLES, "crowd"],
  ] as const;
  return await together(roles, async (server, middle, client) => {
    const { port: behind = 0 } = await server.ask("serve");
    const { port = 0 } = await middle.ask("serve", { port: behind });
    const { megabytes: before = 0 } = await middle.ask("memory");
    await client.ask("join", { port, count: IDLE_CONNECTIONS });
    const { megabytes: after = 0 } = await middle.ask("memory");
    const { count: held = 0 } = await server.ask("held");
    return { megabytes: after - before, held };
  });
}

/** What a server and a client in one process measure through the proxy, or without one. */
async function probed(faults: Figures | undefined, command: string, input: Figures): Promise<Figures> {
  const roles = [
    [ROLES, "probe"],
    [ROLES, "proxy"],
  ] as const;
  return await together(roles, async (probe, middle) => {
    const { port: behind = 0 } = await probe.ask("listen");
    const { port = behind } = faults === undefined ? {} : await middle.ask("serve", { port: behind, ...faults });
    return await probe.ask(command, { port, ...input });
  });
}

/** Memory that a connection holds in the proxy whose reader never reads, and whose writer never rests. */
async function stalled(count: number): Promise<Figures> {
  const roles = [
    [ROLES, "deaf"],
    [ROLES, "proxy"],
  ] as const;
  return await together(roles, async (deaf, middle) => {
    const { port: behind = 0 } = await deaf.ask("listen");
    const { port = 0 } = await middle.ask("serve", { port: behind, latencyMs: 10_000 });
    const { megabytes: before = 0 } = await middle.ask("memory");
    // Longer than the latency: what was under way waits for the reader then, in the buffers of the kernel too.
    await deaf.ask("shout", { port, count, forMs: 15_000 });
    const { megabytes: after = 0 } = await middle.ask("memory");
    return { mebibytes: ((after - before) * 1_000_000) / MEBIBYTE / count };
  });
}

/** Datagrams at a pace from one client or many: what share is lost on the way to the process in the middle, in it, and behind it. */
async function datagrams(between: string, flows: number): Promise<Figures> {
  const roles = [
    [ROLES, "datagramCounter"],
    [ROLES, between],
    [ROLES, "datagramSender"],
  ] as const;
  return await together(roles, async (receiver, middle, sender) => {
    const { port: behind = 0 } = await receiver.ask("open");
    const { port = 0 } = await middle.ask("serve", { port: behind });
    const count = PER_SECOND * 3;
    await middle.ask("spent");
    const { seconds = 0, bytes: sent = 0 } = await sender.ask("send", { port, count, perSecond: PER_SECOND, flows });
    let { received = 0, bytes = 0 } = await receiver.ask("figures");
    // What is still in a buffer arrives too.
    for (let before = -1; before !== received; ) {
      before = received;
      await pause(100);
      ({ received = 0, bytes = 0 } = await receiver.ask("figures"));
    }
    const { came = 0, passed = 0 } = await middle.ask("bytes");
    const { cpu = 0 } = await middle.ask("spent");
    const shares = { before: 1 - came / sent, within: (came - passed) / sent, behind: (passed - bytes) / sent };
    return { ...shares, lost: 1 - received / count, pace: count / seconds, cpu: cpu / received };
  });
}

const others = spawnSync("socat", ["-V"]).error === undefined ? ["pipe", "socat"] : ["pipe"];
if (others.length === 1) console.log("there is no socat here: figures are against pipe alone");
const wanted = process.argv.slice(2);
const runs = (part: string): boolean => wanted.length === 0 || wanted.includes(part);
const middles = (
  roles: readonly string[],
  work: (between: string) => Promise<Figures>,
  rounds?: number,
  warmUps?: number,
): Promise<Series> => alternate(Object.fromEntries(roles.map((name) => [name, () => work(name)])), rounds, warmUps);

if (runs("bulk")) {
  const series = await middles([...others, "proxy"], (name) => bulkThrough(start(ROLES, name), BULK_BYTES));
  const speed = (name: string): number[] => pick(series, name, "seconds").map((seconds) => 1 / seconds / 1e9);
  for (const name of others) {
    const sides = { subject: speed("proxy"), baseline: speed(name) };
    const atLeast = name === "pipe" ? 1 : 0.85;
    show({ name: `bulk without faults, against ${name}`, ...sides, target: { atLeast }, unit: "GB/s" });
  }
  const cpu = { subject: pick(series, "proxy", "cpu"), baseline: pick(series, "pipe", "cpu") };
  show({ name: "  processor time a byte, against pipe", ...cpu, unit: "us" });
}
if (runs("ping")) {
  const series = await alternate({
    straight: pingStraight,
    ...Object.fromEntries([...others, "proxy"].map((name) => [name, () => pingThrough(start(ROLES, name))])),
  });
  const straight = pick(series, "straight", "p50");
  const added = (name: string): number[] => pick(series, name, "p50").map((us, round) => us - (straight[round] ?? 0));
  for (const name of others) {
    const sides = { subject: added("proxy"), baseline: added(name) };
    const target = name === "pipe" ? { atMost: 1.1 } : undefined;
    show({ name: `round trip of 64 bytes, p50 added, against ${name}`, ...sides, target, unit: "us" });
  }
}
if (runs("idle")) {
  const series = await middles(["pipe", "proxy"], idle, Math.min(ROUNDS, 3), 0);
  const sides = { subject: pick(series, "proxy", "megabytes"), baseline: pick(series, "pipe", "megabytes") };
  show({ name: "memory of 5,000 idle connections, against pipe", ...sides, unit: "MB" });
  showBar({ name: "memory of 5,000 idle connections", values: sides.subject, target: { atMost: 60 }, unit: "MB" });
  console.log(`idle connections held: ${median(pick(series, "proxy", "held"))}`);
}
if (runs("latency")) {
  const work = { count: 1000, gapMs: 5 };
  const series = await alternate({
    straight: () => probed(undefined, "delays", work),
    proxy: () => probed({ latencyMs: LATENCY_MS }, "delays", work),
  });
  const errors = (figure: string): number[] => pick(series, "proxy", figure).map((ms) => ms - LATENCY_MS);
  showBar({ name: "latency of 100 ms, earliest", values: errors("least"), target: { atLeast: 0 }, unit: "ms" });
  showBar({ name: "latency of 100 ms, error p50", values: errors("p50"), unit: "ms" });
  showBar({ name: "latency of 100 ms, error p99", values: errors("p99"), target: { atMost: 2 }, unit: "ms" });
  showBar({ name: "  without a proxy, p99", values: pick(series, "straight", "p99"), unit: "ms" });
}
if (runs("bandwidth")) {
  for (const bitsPerSecond of [8_000_000, 80_000_000]) {
    const errors: number[] = [];
    for (let round = 0; round < Math.min(ROUNDS, 3); round += 1) {
      const { rate = 0 } = await probed({ bitsPerSecond }, "rate", { forMs: 10_000 });
      errors.push(Math.abs((rate * 8) / bitsPerSecond - 1) * 100);
    }
    const name = `bandwidth of ${bitsPerSecond / 8e6} MB/s over 10 s, error`;
    showBar({ name, values: errors, target: { atMost: 3 }, unit: "%" });
  }
}
if (runs("stalled")) {
  const series = await alternate({ proxy: () => stalled(10) }, Math.min(ROUNDS, 3), 0);
  const values = pick(series, "proxy", "mebibytes");
  showBar({ name: "held for a reader that never reads", values, target: { atMost: 16 }, unit: "MiB a connection" });
}
if (runs("udp")) {
  for (const flows of [1, 64]) {
    const series = await middles(["rawDatagramBetween", "datagramProxy"], (name) => datagrams(name, flows));
    console.log(
      `${flows} clients send ${Math.round(median(pick(series, "datagramProxy", "pace")))} datagrams a second`,
    );
    for (const [role, title] of [
      ["datagramProxy", "proxy"],
      ["rawDatagramBetween", "node:dgram"],
    ] as const) {
      const percent = (figure: string): number[] => pick(series, role, figure).map((share) => share * 100);
      const target = role === "datagramProxy" ? { atMost: 0 } : undefined;
      showBar({ name: `datagrams lost, ${title}`, values: percent("lost"), target, unit: "%" });
      const [before, within, behind] = ["before", "within", "behind"].map((hop) => median(percent(hop)).toFixed(3));
      console.log(`  before it ${before} %, in it ${within} %, behind it ${behind} %`);
    }
    const cpu = { subject: pick(series, "datagramProxy", "cpu"), baseline: pick(series, "rawDatagramBetween", "cpu") };
    show({ name: "  processor time a datagram", ...cpu, unit: "us" });
  }
}

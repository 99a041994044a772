/**
 * The simulator: what its fabric and its programs cost. Each round is a process of its own that warms itself up. What is wanted
 * of one core is judged by the processor time, of all threads of the process, since other programs change the real time, which
 * stands beside it. Words: exchanges, fabric, heartbeats, memory, hosts.
 */

import { alternate, pick } from "./harness/alternate.ts";
import { median, show } from "./harness/figures.ts";
import { type Figures, start } from "./harness/processes.ts";

const ROLES = new URL("./sim/roles.js", import.meta.url).href;

/** Plays one role: a short round to warm up, and the one that counts. */
function once(role: string, warmUp: Figures, input: Figures): () => Promise<Figures> {
  return async () => {
    const player = start(ROLES, role);
    try {
      if (Object.keys(warmUp).length > 0) await player.ask("run", warmUp);
      return await player.ask("run", input);
    } finally {
      player.stop();
    }
  };
}

const counting = (role: string, warmUp: number, count: number): (() => Promise<Figures>) =>
  once(role, { count: warmUp }, { count });

interface Wanted {
  readonly atLeast?: number;
  readonly atMost?: number;
}

/** Prints one figure: the median of all rounds, the best and the worst, and what is wanted. */
function tell(name: string, values: readonly number[], unit: string, wanted?: Wanted): void {
  const middle = median(values);
  const text = (value: number): string =>
    value >= 1000 ? Math.round(value).toLocaleString("en-US") : value.toPrecision(3);
  const met = middle >= (wanted?.atLeast ?? 0) && middle <= (wanted?.atMost ?? Number.POSITIVE_INFINITY);
  const limit = wanted?.atLeast === undefined ? `<= ${text(wanted?.atMost ?? 0)}` : `>= ${text(wanted.atLeast)}`;
  const verdict = wanted === undefined ? "" : `  wanted ${limit}: ${met ? "met" : "MISSED"}`;
  const range = `(${text(Math.min(...values))} to ${text(Math.max(...values))})`;
  console.log(`${name.padEnd(46)} ${text(middle)} ${unit} ${range}${verdict}`);
}

function perProcessorSecond(microseconds: readonly number[]): number[] {
  return microseconds.map((us) => 1_000_000 / us);
}

async function exchanges(): Promise<void> {
  const series = await alternate({
    simulated: counting("simulatedExchanges", 50_000, 200_000),
    loopback: counting("loopbackExchanges", 10_000, 40_000),
  });
  const sides = (figure: string): { subject: number[]; baseline: number[] } => ({
    subject: pick(series, "simulated", figure),
    baseline: pick(series, "loopback", figure),
  });
  show({ name: "an echo program against loopback sockets", ...sides("rate"), unit: "exchanges a second" });
  show({ name: "  processor time", ...sides("cpuUs"), unit: "µs an exchange" });
  const exchanged = perProcessorSecond(sides("cpuUs").subject);
  tell("exchanges of the echo program", exchanged, "a second of processor time", { atLeast: 100_000 });
}

async function fabric(): Promise<void> {
  const series = await alternate({
    ring: counting("fabricEvents", 1_000_000, 4_000_000),
    bulk: counting("bulk", 32, 256),
  });
  const happened = perProcessorSecond(pick(series, "ring", "cpuUs"));
  tell("events of the fabric, no programs", happened, "a second of processor time", { atLeast: 1_000_000 });
  tell("  in real time", pick(series, "ring", "rate"), "a second");
  tell("one connection, as fast as it can", pick(series, "bulk", "rate"), "MiB a second");
  tell("  events", pick(series, "bulk", "events"), "a second");
}

async function heartbeats(): Promise<void> {
  const series = await alternate({ star: once("heartbeats", {}, { hosts: 100, hours: 1 }) });
  const beats = 100 * 360;
  const busy = pick(series, "star", "cpuUs").map((us) => (us * beats) / 1_000_000);
  tell("an hour of heartbeats of 100 hosts in a star", busy, "seconds of processor time", { atMost: 5 });
  tell("  in real time", pick(series, "star", "seconds"), "seconds");
}

async function memory(): Promise<void> {
  const series = await alternate({ idle: once("idleMemory", {}, { count: 10_000 }) });
  const ends = pick(series, "idle", "bytes");
  tell("memory of an idle connection, both ends", ends, "bytes");
  tell(
    "memory of one end",
    ends.map((bytes) => bytes / 2),
    "bytes",
    { atMost: 4096 },
  );
}

async function hosts(): Promise<void> {
  const series = await alternate({ many: once("manyHosts", {}, { count: 1000 }) });
  tell("1,000 hosts, each calls its neighbour", pick(series, "many", "seconds"), "seconds");
  tell("  memory of a host with two connections", pick(series, "many", "bytes"), "bytes");
}

const parts = { exchanges, fabric, heartbeats, memory, hosts };
const word = process.argv[2];
for (const [name, run] of Object.entries(parts)) if (word === undefined || word === name) await run();

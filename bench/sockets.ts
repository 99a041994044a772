/**
 * Zócalo's stream and datagram sockets against raw `node:net` and `node:dgram`: the same work, in alternating rounds of the
 * same run, each side in a process of its own. Prints ratios; medians of 7 rounds unless ROUNDS says otherwise.
 */

import { alternate, pick, type Series } from "./harness/alternate.ts";
import { median, show } from "./harness/figures.ts";
import { type Figures, start } from "./harness/processes.ts";
import { cancelling, SCENES } from "./sockets/cancel.ts";
import { bulkThrough, pingThrough } from "./sockets/through.ts";

const BULK_BYTES = 4096 * 262_144;
const WAITING_CALLS = 32_768;
const ROLES = new URL("./sockets/roles.js", import.meta.url).href;

async function bulkAccepted(receiver: string): Promise<Figures> {
  const server = start(ROLES, receiver);
  const client = start(ROLES, "sender");
  const { port = 0 } = await server.ask("serve");
  await client.ask("call", { port, bytes: BULK_BYTES });
  const figures = await server.ask("served");
  server.stop();
  client.stop();
  return figures;
}

async function bulkConnected(receiver: string): Promise<Figures> {
  const server = start(ROLES, "sender");
  const client = start(ROLES, receiver);
  const { port = 0 } = await server.ask("serve", { bytes: BULK_BYTES });
  const figures = await client.ask("call", { port });
  server.stop();
  client.stop();
  return figures;
}

async function pingPong(echo: string, ping: string): Promise<Figures> {
  const server = start(ROLES, echo);
  const client = start(ROLES, ping);
  const { port = 0 } = await server.ask("serve");
  const figures = await client.ask("play", { port, count: 30_000, warmUp: 5_000 });
  server.stop();
  client.stop();
  return figures;
}

async function idleMemory(holder: string): Promise<Figures> {
  const server = start(ROLES, holder);
  const client = start(ROLES, "crowd");
  const { port = 0 } = await server.ask("serve");
  await client.ask("join", { port, count: 1000 });
  const { bytes: few = 0 } = await server.ask("memory");
  await client.ask("join", { port, count: 8000 });
  const { bytes: many = 0 } = await server.ask("memory");
  await client.ask("join", { port, count: 1000 });
  // The last connections are complete for the client before the server has taken them.
  await server.ask("memory");
  const { count: held = 0 } = await server.ask("held");
  server.stop();
  client.stop();
  return { bytes: (many - few) / 8000, held };
}

/** Sends at `perSecond`; answers how many arrived a second, what share was lost, and the processor time of each. */
async function datagrams(receiver: string, perSecond: number): Promise<Figures> {
  const server = start(ROLES, receiver);
  const client = start(ROLES, "datagramSender");
  const { port = 0 } = await server.ask("open");
  const count = perSecond * 2;
  const { seconds = 0 } = await client.ask("send", { port, count, perSecond });
  let { received = 0, cpu = 0 } = await server.ask("figures");
  // What is still in the kernel's buffer has arrived too.
  for (let before = -1; before !== received; ) {
    before = received;
    await new Promise((resolve) => setTimeout(resolve, 50));
    ({ received = 0, cpu = 0 } = await server.ask("figures"));
  }
  server.stop();
  client.stop();
  return { rate: received / seconds, lost: 1 - received / count, cpu };
}

/** The fastest pace at which raw `node:dgram` loses under 0.1 %: both sides are then measured at it. */
async function sustainablePace(): Promise<number> {
  for (let perSecond = 200_000; perSecond > 10_000; perSecond = Math.round(perSecond * 0.8)) {
    const { lost = 1 } = await datagrams("rawDatagramSocket", perSecond);
    if (lost < 0.001) return perSecond;
  }
  throw new Error("this machine loses datagrams at any pace");
}

function showBulk(title: string, series: Series): void {
  for (const [reader, target] of [
    ["zocaloRead", { atLeast: 0.95 }],
    ["zocaloReadInto", { atLeast: 1 }],
  ] as const) {
    const speed = (name: string): number[] => pick(series, name, "seconds").map((seconds) => 1 / seconds / 1e9);
    const name = `${title}, ${reader === "zocaloRead" ? "read()" : "readInto()"}`;
    show({ name, subject: speed(reader), baseline: speed("rawReceiver"), target, unit: "GB/s" });
    const cpu = (role: string): number[] => pick(series, role, "cpu");
    show({ name: "  processor time a byte", subject: cpu(reader), baseline: cpu("rawReceiver"), unit: "us" });
  }
}

const receivers = ["rawReceiver", "zocaloRead", "zocaloReadInto"];
const wanted = process.argv.slice(2);
const runs = (part: string): boolean => wanted.length === 0 || wanted.includes(part);

if (runs("bulk")) {
  const accepted = await alternate(Object.fromEntries(receivers.map((name) => [name, () => bulkAccepted(name)])));
  showBulk("bulk receive, accepted", accepted);
  const connected = await alternate(Object.fromEntries(receivers.map((name) => [name, () => bulkConnected(name)])));
  showBulk("bulk receive, connecting", connected);
}
if (runs("ping")) {
  const series = await alternate({
    raw: () => pingPong("rawEcho", "rawPing"),
    zocalo: () => pingPong("zocaloEcho", "zocaloPing"),
  });
  for (const figure of ["p50", "p99"]) {
    const target = figure === "p50" ? { atMost: 1.1 } : undefined;
    const sides = { subject: pick(series, "zocalo", figure), baseline: pick(series, "raw", figure) };
    show({ name: `round trip of 64 bytes, ${figure}`, ...sides, target, unit: "us" });
  }
}
if (runs("relay")) {
  const bulk = await alternate({
    raw: () => bulkThrough(start(ROLES, "rawBetween"), BULK_BYTES),
    zocalo: () => bulkThrough(start(ROLES, "zocaloBetween"), BULK_BYTES),
  });
  const speed = (name: string): number[] => pick(bulk, name, "seconds").map((seconds) => 1 / seconds / 1e9);
  const sides = { subject: speed("zocalo"), baseline: speed("raw") };
  show({ name: "bulk through relay()", ...sides, target: { atLeast: 0.95 }, unit: "GB/s" });
  const cpu = { subject: pick(bulk, "zocalo", "cpu"), baseline: pick(bulk, "raw", "cpu") };
  show({ name: "  processor time a byte", ...cpu, unit: "us" });
  const series = await alternate({
    raw: () => pingThrough(start(ROLES, "rawBetween")),
    zocalo: () => pingThrough(start(ROLES, "zocaloBetween")),
  });
  const round = { subject: pick(series, "zocalo", "p50"), baseline: pick(series, "raw", "p50") };
  show({ name: "round trip of 64 bytes through relay(), p50", ...round, target: { atMost: 1.1 }, unit: "us" });
}
if (runs("memory")) {
  const series = await alternate({ raw: () => idleMemory("rawHolder"), zocalo: () => idleMemory("zocaloHolder") });
  const sides = { subject: pick(series, "zocalo", "bytes"), baseline: pick(series, "raw", "bytes") };
  show({ name: "memory of an idle connection", ...sides, target: { atMost: 1.5 }, unit: "bytes" });
  console.log(`idle connections held: ${median(pick(series, "zocalo", "held"))}`);
}
if (runs("cancel")) {
  for (const [call, open] of Object.entries(SCENES)) {
    const series = await alternate({
      once: () => cancelling(open, WAITING_CALLS),
      twice: () => cancelling(open, 2 * WAITING_CALLS),
    });
    const sides = { subject: pick(series, "twice", "us"), baseline: pick(series, "once", "us") };
    show({ name: `twice the calls ended by a signal, ${call}`, ...sides, target: { atMost: 2.2 }, unit: "us" });
  }
}
if (runs("udp")) {
  const perSecond = await sustainablePace();
  console.log(`datagrams are sent at ${perSecond.toLocaleString("en-US")} a second`);
  const datagramSockets = ["rawDatagramSocket", "zocaloDatagramSocket", "zocaloBatches"];
  const series = await alternate(
    Object.fromEntries(datagramSockets.map((name) => [name, () => datagrams(name, perSecond)])),
  );
  for (const [role, reader] of [
    ["zocaloDatagramSocket", "for await"],
    ["zocaloBatches", "batches()"],
  ] as const) {
    const sides = { subject: pick(series, role, "rate"), baseline: pick(series, "rawDatagramSocket", "rate") };
    show({ name: `datagrams delivered, ${reader}`, ...sides, target: { atLeast: 0.95 }, unit: "a second" });
    const cpu = { subject: pick(series, role, "cpu"), baseline: pick(series, "rawDatagramSocket", "cpu") };
    show({ name: "  processor time a datagram", ...cpu, unit: "us" });
    const lost = (name: string): string => `${(median(pick(series, name, "lost")) * 100).toFixed(3)} %`;
    console.log(`  lost: ${lost(role)} against ${lost("rawDatagramSocket")}`);
  }
}

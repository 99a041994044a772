/**
 * Sessions against loops written by hand on raw `node:net` (bench/baseline) and against other people's ways of talking: two
 * processes, one TCP connection on loopback, payloads of 64 bytes, all in the same run. `broadcast`: one message of 100 bytes to
 * each of 200 clients. Words choose parts: `events`, `calls`, `ping`, `broadcast`, `crowd`, `memory`,
 * `watched`, `journal`, `inspect`, `types`; without any all run.
 * The first run installs the others (bench/peers).
 */

import { get } from "node:http";
import { setTimeout } from "node:timers/promises";
import { inspectorPaths } from "../src/inspect.ts";
import { alternate, pick, type Series } from "./harness/alternate.ts";
import { show, showBar } from "./harness/figures.ts";
import { type Figures, type Player, start } from "./harness/processes.ts";
import { timeTypes } from "./protocol/type-check.ts";
import { installPeers } from "./protocol/install-peers.ts";

const ROLES = new URL("./protocol/roles.js", import.meta.url).href;
const FRAMING_ROLES = new URL("./framing/roles.js", import.meta.url).href;
const OTHERS = ["ws", "socket.io", "zeromq", "grpc"] as const;
const OURS = ["zocalo", "zocalo-zod"] as const;

type Sides = { readonly server: Player; readonly client: Player; readonly port: number };

/** Starts both processes with one connection, and stops them when the work is done. */
async function together(
  roles: readonly [server: string, client: string],
  name: string,
  work: (sides: Sides) => Promise<Figures>,
): Promise<Figures> {
  const server = start(ROLES, roles[0], name);
  const client = start(ROLES, roles[1], name);
  try {
    const { port = 0 } = await server.ask("serve");
    await client.ask("join", { port, count: 1 });
    return await work({ server, client, port });
  } finally {
    server.stop();
    client.stop();
  }
}

const talking = (name: string, work: (sides: Sides) => Promise<Figures>): Promise<Figures> =>
  together(["server", "client"], name, work);

async function events({ server, client }: Sides, count: number, burst: number): Promise<Figures> {
  await server.ask("expect", { count, warmUp: Math.floor(count / 5) });
  await client.ask("events", { count, burst });
  return await server.ask("served");
}

async function rawEvents(count: number): Promise<Figures> {
  const server = start(FRAMING_ROLES, "rawReceiver");
  const client = start(FRAMING_ROLES, "rawSender");
  const { port = 0 } = await server.ask("serve", { warmUp: Math.floor(count / 5) });
  await client.ask("send", { port, count });
  const figures = await server.ask("served");
  server.stop();
  client.stop();
  return figures;
}

const AUDIENCE = 200;
/** So many messages are sent before the clients have those before them: no side keeps more, whatever the library bounds. */
const WINDOW = 100;

/** One message after the other to every client; each client counts. */
async function broadcast({ server, client, port }: Sides, burst: number): Promise<Figures> {
  await client.ask("join", { port, count: AUDIENCE });
  const windows = 30;
  const warmUp = 5;
  let startedAt = 0;
  let cpu = 0;
  for (let window = 0; window < windows; window += 1) {
    if (window === warmUp) {
      await client.ask("heard", { count: window * WINDOW });
      startedAt = performance.now();
      cpu = (await server.ask("cpu"))["ns"] ?? 0;
    }
    await server.ask("broadcast", { count: WINDOW, together: burst });
    // Those of the window before.
    await client.ask("heard", { count: window * WINDOW });
  }
  await client.ask("heard", { count: windows * WINDOW });
  const delivered = (windows - warmUp) * WINDOW * AUDIENCE;
  const seconds = (performance.now() - startedAt) / 1000;
  return { rate: delivered / seconds, cpu: (((await server.ask("cpu"))["ns"] ?? 0) - cpu) / delivered };
}

/** Shows each name against a baseline, with what is wanted of Zócalo. */
function compare(
  series: Series,
  what: string,
  figure: string,
  unit: string,
  wanted?: { atLeast?: number; atMost?: number },
): void {
  for (const name of Object.keys(series).filter((one) => one !== "raw")) {
    const target = name === "zocalo" ? wanted : undefined;
    const sides = { subject: pick(series, name, figure), baseline: pick(series, "raw", figure) };
    show({ name: `${what}: ${name} against raw net`, ...sides, target, unit });
  }
  for (const other of OTHERS.filter((one) => series[one] !== undefined)) {
    const sides = { subject: pick(series, "zocalo", figure), baseline: pick(series, other, figure) };
    show({ name: `${what}: zocalo against ${other}`, ...sides, unit });
  }
}

/** The bytes of what an inspector answers. */
function lookAt(pid: number, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const place = { socketPath: inspectorPaths(String(pid))[0], headers: { host: "localhost" }, path, agent: false };
    get(place, (response) => {
      let bytes = 0;
      response.on("data", (part: Buffer) => (bytes += part.length));
      response.on("end", () => resolve(bytes));
    }).on("error", reject);
  });
}

/** Which share of a processor a process takes while `look` is called once a second. */
async function shareOver(server: Player, seconds: number, look: () => Promise<void>): Promise<number> {
  const { ms: before = 0 } = await server.ask("used");
  for (let second = 0; second < seconds; second += 1) await Promise.all([look(), setTimeout(1000)]);
  const { ms: after = 0 } = await server.ask("used");
  return (after - before) / (seconds * 1000);
}

/** The fast ones get more messages, so that each round takes about as long. */
const EVENTS: Record<string, number> = { raw: 5_000_000, zocalo: 5_000_000, "zocalo-zod": 500_000 };
const CALLS: Record<string, number> = { raw: 1_000_000, zocalo: 500_000, "zocalo-zod": 100_000 };

const parts: Record<string, () => Promise<void>> = {
  events: async () => {
    const run = (name: string) => () => talking(name, (sides) => events(sides, EVENTS[name] ?? 200_000, 1000));
    const variants = Object.fromEntries([...OURS, ...OTHERS].map((name) => [name, run(name)]));
    const series = await alternate({ raw: () => rawEvents(EVENTS["raw"] ?? 0), ...variants });
    compare(series, "events one way", "rate", "a second", { atLeast: 0.4 });
  },
  calls: async () => {
    const ask =
      (count: number) =>
      ({ client }: Sides) =>
        client.ask("calls", { count, warmUp: Math.floor(count / 5), inFlight: 64 });
    const run = (name: string) => () => talking(name, ask(CALLS[name] ?? 50_000));
    const variants = Object.fromEntries([...OURS, ...OTHERS].map((name) => [name, run(name)]));
    const raw = () => together(["rawAnswers", "rawClient"], "", ask(CALLS["raw"] ?? 0));
    compare(await alternate({ raw, ...variants }), "calls, 64 in flight", "rate", "a second", { atLeast: 0.45 });
  },
  ping: async () => {
    const ask = ({ client }: Sides): Promise<Figures> => client.ask("ping", { count: 20_000, warmUp: 5000 });
    const variants = Object.fromEntries([...OURS, ...OTHERS].map((name) => [name, () => talking(name, ask)]));
    const series = await alternate({ raw: () => together(["rawEcho", "rawClient"], "", ask), ...variants });
    compare(series, "one call at a time, p50", "p50", "µs", { atMost: 1.25 });
    compare(series, "one call at a time, p99", "p99", "µs");
  },
  broadcast: async () => {
    for (const burst of [1, 100]) {
      const run = (name: string) => () => together(["server", "audience"], name, (sides) => broadcast(sides, burst));
      const series = await alternate(
        Object.fromEntries(["zocalo", "ws", "socket.io"].map((name) => [name, run(name)])),
      );
      for (const other of ["ws", "socket.io"]) {
        const name = `to ${AUDIENCE} clients, ${burst} at a time, zocalo against ${other}`;
        const sides = (figure: string) => ({
          subject: pick(series, "zocalo", figure),
          baseline: pick(series, other, figure),
        });
        show({ name: `${name}: delivered`, ...sides("rate"), unit: "a second" });
        // One message costs a system call on both sides, and a session numbers and keeps it besides. Many share the call.
        const target = other === "ws" && burst > 1 ? { atMost: 1 } : undefined;
        show({ name: `${name}: server's processor time`, ...sides("cpu"), target, unit: "ns a delivery" });
      }
    }
  },
  /** The same number of messages over one connection and over a thousand, a hundred at a time. */
  crowd: async () => {
    const spread = (links: number) => () =>
      talking("zocalo", async (sides) => {
        await sides.client.ask("join", { port: sides.port, count: links });
        return await events(sides, 5_000_000, 100);
      });
    const series = await alternate({ one: spread(1), many: spread(1000) });
    const sides = { subject: pick(series, "many", "cpu"), baseline: pick(series, "one", "cpu") };
    const name = "server's processor time a message, 1,000 sessions against 1";
    show({ name, ...sides, target: { atMost: 1.3 }, unit: "ns" });
  },
  memory: async () => {
    const slope = (name: string) => () =>
      talking(name, async ({ server, client, port }) => {
        await client.ask("join", { port, count: 1000 });
        const { bytes: few = 0 } = await server.ask("memory");
        await client.ask("join", { port, count: 9000 });
        const { bytes: many = 0 } = await server.ask("memory");
        return { bytes: (many - few) / 8000 };
      });
    const series = await alternate({ zocalo: slope("zocalo"), ws: slope("ws") });
    const sides = { subject: pick(series, "zocalo", "bytes"), baseline: pick(series, "ws", "bytes") };
    show({ name: "memory of an idle session against ws", ...sides, target: { atMost: 1 }, unit: "bytes" });
  },
  /** What it costs to count calls, to stand around them, to hear of each, and to have an inspector that nobody asks. */
  watched: async () => {
    const count = 300_000;
    const run =
      (name: string, isInspected = false) =>
      () =>
        talking(name, async ({ server, client }) => {
          if (isInspected) await server.ask("inspect");
          const { ns: before = 0 } = await server.ask("cpu");
          const { rate = Number.NaN } = await client.ask("calls", { count, warmUp: count / 5, inFlight: 64 });
          const { ns: after = 0 } = await server.ask("cpu");
          return { rate, cpu: (after - before) / count };
        });
    const watched = ["zocalo-metrics", "zocalo-around", "zocalo-traced"];
    const series = await alternate({
      ...Object.fromEntries(["zocalo", ...watched].map((name) => [name, run(name)])),
      "zocalo, inspected": run("zocalo", true),
    });
    for (const name of [...watched, "zocalo, inspected"]) {
      const sides = (figure: string) => ({
        subject: pick(series, name, figure),
        baseline: pick(series, "zocalo", figure),
      });
      show({ name: `calls: ${name} against none`, ...sides("rate"), unit: "a second" });
      show({ name: "the processor of its server", ...sides("cpu"), unit: "ns a call" });
    }
  },
  /** What a journal costs: one in memory, and one in a file, which is on the disk before an answer leaves. */
  journal: async () => {
    const names = ["zocalo", "zocalo-memory", "zocalo-file"];
    const run = (work: (sides: Sides) => Promise<Figures>): Promise<Series> =>
      alternate(Object.fromEntries(names.map((name) => [name, () => talking(name, work)])));
    const ping = await run(({ client }) => client.ask("ping", { count: 5_000, warmUp: 1_000 }));
    const calls = await run(({ client }) => client.ask("calls", { count: 50_000, warmUp: 10_000, inFlight: 64 }));
    for (const name of names.slice(1)) {
      const longer = pick(ping, name, "p50").map((one, round) => one - (pick(ping, "zocalo", "p50")[round] as number));
      const title = `${name}, one call at a time, p50: longer by`;
      const isFile = name === "zocalo-file";
      showBar({ name: title, values: longer, target: isFile ? { atMost: 500 } : undefined, unit: "µs" });
      const sides = { subject: pick(calls, name, "rate"), baseline: pick(calls, "zocalo", "rate") };
      const target = isFile ? { atLeast: 0.4 } : undefined;
      show({ name: `calls, 64 in flight: ${name} against none`, ...sides, target, unit: "a second" });
    }
  },
  /**
   * 10,000 sessions: without an inspector, with one that nobody asks, and with a page that looks once a second. Each for the 15 seconds of
   * a heartbeat, so that all have as many of them.
   */
  inspect: async () => {
    const [plain, server] = [start(ROLES, "server", "zocalo"), start(ROLES, "server", "zocalo")];
    const clients = [plain, server].map(() => start(ROLES, "client", "zocalo"));
    try {
      const { pid = 0 } = await server.ask("inspect");
      for (const [index, one] of [plain, server].entries()) {
        const { port = 0 } = await one.ask("serve");
        await clients[index]?.ask("join", { port, count: 10_000 });
      }
      const look = async (): Promise<void> => {
        for (const path of ["/servers", "/sessions/heat", "/sessions?sort=held"]) await lookAt(pid, path);
      };
      const nothing = (): Promise<void> => Promise.resolve();
      const series = await alternate({
        plain: async () => ({ share: await shareOver(plain, 15, nothing) }),
        quiet: async () => ({ share: await shareOver(server, 15, nothing) }),
        looked: async () => ({ share: await shareOver(server, 15, look) }),
      });
      const share = (name: string): number[] => pick(series, name, "share").map((one) => one * 100);
      // What else the machine does only adds: the least of the rounds has least of it.
      const more = (name: string, than: string): number[] => [Math.min(...share(name)) - Math.min(...share(than))];
      const unit = "% of a processor";
      showBar({ name: "10,000 sessions without an inspector", values: share("plain"), unit });
      showBar({ name: "  nobody asks it: more", values: more("quiet", "plain"), target: { atMost: 0.1 }, unit });
      showBar({ name: "  a page is open: more", values: more("looked", "quiet"), target: { atMost: 2 }, unit });
      const dump = { subject: [await lookAt(pid, "/dump")], baseline: [20_000_000] };
      show({ name: "dump of 10,000 sessions against 20 MB", ...dump, target: { atMost: 1 }, unit: "bytes" });
    } finally {
      for (const one of [plain, server, ...clients]) one.stop();
    }
  },
  types: async () => {
    const series = await alternate({ few: async () => timeTypes(2), many: async () => timeTypes(200) });
    const sides = { subject: pick(series, "many", "ms"), baseline: pick(series, "few", "ms") };
    show({ name: "type-checking 200 methods against 2", ...sides, unit: "ms" });
  },
};

const words = process.argv.slice(2);
await installPeers();
for (const [name, part] of Object.entries(parts)) if (words.length === 0 || words.includes(name)) await part();

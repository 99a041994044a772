/** The processes of bench/protocol.ts: `server NAME` and `client NAME`, and the two of the baselines. */

import { once } from "node:events";
import net from "node:net";
import { setImmediate } from "node:timers/promises";
import { answerCalls, callsOver } from "../baseline/called-net.ts";
import { percentile } from "../harness/figures.ts";
import { Meter } from "../harness/meter.ts";
import { type Figures, play, type Role } from "../harness/processes.ts";
import type { Link, Peer, Serving } from "./link.ts";

const HOST = "127.0.0.1";
const PAYLOAD: Buffer = Buffer.alloc(64, 3);
const NEWS: Buffer = Buffer.alloc(100, 3);

/** Peers of other people are plain JavaScript with a package file of their own. */
const PEERS = new URL("../../../bench/peers/", import.meta.url);

async function peerOf(name: string): Promise<Peer> {
  if (name.startsWith("zocalo"))
    return ((await import("./zocalo.js")) as { peers: Record<string, Peer> }).peers[name] as Peer;
  return (await import(new URL(`${name}.mjs`, PEERS).href)) as Peer;
}

function collect(): void {
  (globalThis as { gc?: () => void }).gc?.();
}

/** Counts events until all have come. */
function server(name: string): Role {
  let meter = new Meter(0);
  let left = 0;
  let all: () => void = () => undefined;
  let done: Promise<void> = Promise.resolve();
  let serving: Serving | undefined;
  const event = (message: Uint8Array): void => {
    meter.touch(message[0] as number, message[63] as number);
    if ((left -= 1) === 0) all();
  };
  return {
    serve: async () => {
      serving = await (await peerOf(name)).serve({ event, call: (message) => message });
      return { port: serving.port };
    },
    /** Sends `count` messages to all clients, `together` of them in one turn of the event loop. */
    broadcast: async ({ count = 0, together = 1 }) => {
      for (let sent = 0; sent < count; sent += 1) {
        serving?.broadcast?.(NEWS);
        if ((sent + 1) % together === 0) await setImmediate();
      }
      return {};
    },
    cpu: () => {
      const { user, system } = process.cpuUsage();
      return { ns: (user + system) * 1000 };
    },
    expect: ({ count = 0, warmUp = 0 }) => {
      meter = new Meter(warmUp);
      left = count;
      done = new Promise((resolve) => {
        all = resolve;
      });
      return {};
    },
    served: async () => {
      await done;
      return meter.figures();
    },
    /** Found by the number that is answered. Whoever does not ask for it does not load it, nor the HTTP server beneath. */
    inspect: async () => {
      const { inspect } = await import("../../src/inspect.ts");
      await inspect();
      return { pid: process.pid };
    },
    used: () => {
      const { user, system } = process.cpuUsage();
      return { ms: (user + system) / 1000 };
    },
    memory: () => {
      collect();
      collect();
      const { heapUsed, external, arrayBuffers } = process.memoryUsage();
      return { bytes: heapUsed + external + arrayBuffers };
    },
  };
}

/** Keeps `inFlight` calls under way, and times those behind the warm-up. */
async function call(link: Pick<Link, "call">, count: number, warmUp: number, inFlight: number): Promise<Figures> {
  let asked = 0;
  let done = 0;
  let startedAt = performance.now();
  const lane = async (): Promise<void> => {
    while (asked < count) {
      asked += 1;
      const answer = await link.call(PAYLOAD);
      if (answer[0] !== 3 || answer.length !== PAYLOAD.length) throw new Error("an answer was not what was sent");
      if ((done += 1) === warmUp) startedAt = performance.now();
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return { rate: ((count - warmUp) * 1000) / (performance.now() - startedAt) };
}

/** Times each call of one after the other. */
async function ping(link: Pick<Link, "call">, count: number, warmUp: number): Promise<Figures> {
  const times = new Float64Array(count);
  for (let round = -warmUp; round < count; round += 1) {
    const startedAt = performance.now();
    await link.call(PAYLOAD);
    if (round >= 0) times[round] = (performance.now() - startedAt) * 1000;
  }
  times.sort();
  return { p50: percentile(times, 0.5), p99: percentile(times, 0.99) };
}

async function sendEvents(links: readonly Link[], count: number, burst: number): Promise<void> {
  for (let sent = 0, at = 0; sent < count; at += 1) {
    const link = links[at % links.length] as Link;
    for (let index = 0; index < burst && sent < count; index += 1, sent += 1) {
      const waiting = link.event(PAYLOAD);
      if (waiting !== undefined) await waiting;
    }
  }
}

function client(name: string): Role {
  const links: Link[] = [];
  const join = async (port: number, count: number): Promise<void> => {
    const peer = await peerOf(name);
    while (count > links.length) {
      const missing = Math.min(50, count - links.length);
      links.push(...(await Promise.all(Array.from({ length: missing }, () => peer.open(port)))));
    }
  };
  return {
    /** Opens connections until there are `count`. */
    join: async ({ port = 0, count = 1 }) => {
      await join(port, count);
      return {};
    },
    events: ({ count = 0, burst = 1000 }) => {
      void sendEvents(links, count, burst);
      return {};
    },
    calls: async ({ count = 0, warmUp = 0, inFlight = 64 }) => await call(links[0] as Link, count, warmUp, inFlight),
    ping: async ({ count = 0, warmUp = 0 }) => await ping(links[0] as Link, count, warmUp),
  };
}

/** Clients that count what a server broadcasts, each for itself. */
function audience(name: string): Role {
  const counts: number[] = [];
  let wanted = 0;
  let missing = 0;
  let all: () => void = () => undefined;
  const hearing = (index: number) => (length: number) => {
    if (length !== NEWS.length) throw new Error("a message was not what was sent");
    if ((counts[index] = (counts[index] ?? 0) + 1) === wanted && (missing -= 1) === 0) all();
  };
  return {
    join: async ({ port = 0, count = 1 }) => {
      const peer = await peerOf(name);
      while (counts.length < count) await peer.open(port, hearing(counts.push(0) - 1));
      return {};
    },
    /** Answers when each client has heard `count` messages since it came. */
    heard: async ({ count = 0 }) => {
      wanted = count;
      missing = counts.filter((heard) => heard < wanted).length;
      if (missing > 0) await new Promise<void>((resolve) => (all = resolve));
      return {};
    },
  };
}

/** Raw `node:net`: answers calls, or sends every byte back. */
function rawServer(serve: (socket: net.Socket) => void): Role {
  return {
    serve: async () => {
      const listener = net.createServer({ noDelay: true }, serve).listen(0, HOST);
      await once(listener, "listening");
      return { port: (listener.address() as net.AddressInfo).port };
    },
  };
}

function rawClient(): Role {
  let socket = new net.Socket();
  return {
    join: async ({ port = 0 }) => {
      socket = net.connect({ port, host: HOST, noDelay: true });
      await once(socket, "connect");
      return {};
    },
    calls: async ({ count = 0, warmUp = 0, inFlight = 64 }) =>
      await call({ call: callsOver(socket) }, count, warmUp, inFlight),
    ping: async ({ count = 0, warmUp = 0 }) => {
      let answered: (bytes: Uint8Array) => void = () => undefined;
      socket.on("data", (bytes) => answered(bytes));
      const roundTrip = (message: Uint8Array): Promise<Uint8Array> =>
        new Promise((resolve) => {
          answered = resolve;
          socket.write(message);
        });
      return await ping({ call: roundTrip }, count, warmUp);
    },
  };
}

const kind = process.argv[3] ?? "";
play({
  server: () => server(kind),
  client: () => client(kind),
  audience: () => audience(kind),
  rawAnswers: () => rawServer((socket) => answerCalls(socket, (message) => message)),
  rawEcho: () => rawServer((socket) => socket.on("data", (bytes) => socket.write(bytes))),
  rawClient,
});

/**
 * Fills one queue of the package with the smallest messages, and prints what it says that it holds beside what the memory of
 * the process has grown by, as JSON. Run it with `--expose-gc` and the name of a queue: one process each, so that nothing else
 * comes and goes meanwhile.
 */

import { once } from "node:events";
import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { chain, json, lengthPrefix } from "../../../src/framing.ts";
import { bind, connect, listen, nodeNetwork } from "../../../src/index.ts";
import type { FramedStream } from "../../../src/io/stream/framed-stream.ts";
import type { StreamSocket } from "../../../src/io/stream/socket.ts";
import { DEFAULT_LIMITS } from "../../../src/core/handshake/limits.ts";
import {
  bytes,
  call,
  contract,
  event,
  connectSession,
  serveSessions,
  stream,
  typeOnly,
} from "../../../src/protocol.ts";

/** One queue, filled: what it says that it holds. */
interface Filled {
  readonly heldBytes: () => number;
  /** Puts so many messages in. */
  fill(): unknown;
  readonly count: number;
  /** What must not be collected meanwhile. */
  readonly keep: readonly unknown[];
}

interface Question {
  readonly name: string;
  readonly tags: readonly string[];
  readonly at: { readonly x: number; readonly y: number };
}

const all = contract("all", "1.0.0", {
  server: {
    quick: call(),
    stuck: call(bytes, bytes),
    asked: call(typeOnly<Question>(), typeOnly<number>()),
    note: event(bytes),
    upload: stream({ receives: bytes }),
  },
  client: { tick: event(bytes) },
});
const one = Buffer.from([1]);
const never = new Promise<never>(() => undefined);

/** Options without a bound of what one session holds. */
const unbounded = ({ limits, ...more }: { readonly limits?: object }): object => {
  return { ...more, limits: { maxHeldBytesPerSession: Infinity, ...limits } };
};

async function served(server: object = {}, client: object = {}) {
  const kept: unknown[] = [];
  const serving = await serveSessions(all, "tcp://127.0.0.1:0", {
    handlers: {
      quick: () => undefined,
      stuck: () => never,
      asked: async (question) => {
        kept.push(question);
        return await never;
      },
      note: () => never,
      upload: () => never,
    },
    ...unbounded(server),
  });
  const session = await connectSession(all, serving.localAddress, {
    handlers: { tick: () => undefined },
    ...unbounded(client),
  });
  await session.remote.quick();
  const heldBytes = (): number => session.stats.heldBytes;
  const bothHeld = (): number => session.stats.heldBytes + serving.stats.heldBytes;
  /** All that was sent is acknowledged, and nothing more comes. */
  const settled = async (): Promise<void> => {
    while (session.stats.unacknowledged > 0) await sleep(10);
    await sleep(100);
  };
  return { serving, session, heldBytes, bothHeld, settled, keep: [serving, session, kept] };
}

/** Nothing leaves: one message fills the replay buffer, and the server never hears of it. */
const full = { resume: { maxReplayMessages: 1, maxReplayAgeMs: Infinity } };

/** The server has gone, and its client tries to find another one. */
async function betweenSessions() {
  const { serving, session, heldBytes, keep } = await served();
  const { port } = serving.localAddress;
  await serving.close({ timeoutMs: 0 });
  while (session.state !== "detached") await sleep(10);
  return { session, heldBytes, keep: [...keep, port] };
}

/** A client by hand, let in: the sessions of many must not bring clients of their own. */
async function visitor(port: number): Promise<net.Socket> {
  const socket = net.connect(port, "127.0.0.1");
  // The server gives up those who never answer.
  socket.on("error", () => undefined);
  const { name: contractName, version } = all;
  const accepts = { from: version, below: "2.0.0" };
  const common = { offers: ["tick"], codecs: ["json"], features: [], limits: DEFAULT_LIMITS };
  const hello = Buffer.from(JSON.stringify({ contract: contractName, version, accepts, ...common }));
  const head = Buffer.alloc(5);
  head.writeUInt32BE(hello.length + 1);
  head[4] = 1;
  socket.write(Buffer.concat([Buffer.from("ZOCALO\0\u0001", "latin1"), head, hello]));
  await once(socket, "data");
  socket.resume();
  return socket;
}

async function connection() {
  const listener = await listen("tcp://127.0.0.1:0");
  const [caller, peer] = await Promise.all([connect(listener.localAddress), listener.accept()]);
  return { caller: caller as unknown as StreamSocket, keep: [listener, caller, peer] };
}

async function blocked() {
  const { caller, keep } = await connection();
  const piece = Buffer.alloc(262_144);
  for (let sent = 0; sent < 8_000_000; sent += piece.length) void caller.write(piece);
  await sleep(200);
  return { caller, keep };
}

async function blockedFraming<T>(codec: Parameters<StreamSocket["framed"]>[0], large: T) {
  const { caller, keep } = await connection();
  const framed = caller.framed(codec) as unknown as FramedStream<unknown, unknown>;
  while (framed.unsentBytes <= 65_536) {
    void framed.send(large);
    await sleep(1);
  }
  await sleep(100);
  return { framed, keep: [...keep, framed] };
}

function times(count: number, each: (index: number) => unknown): unknown[] {
  return Array.from({ length: count }, (_, index) => each(index));
}

/** The queues of sessions, by name. */
export const sessionQueues: Readonly<Record<string, () => Promise<Filled>>> = {
  "events that somebody awaits": async () => {
    const { session, heldBytes, keep } = await served({}, full);
    const count = 40_000;
    return { count, heldBytes, keep, fill: () => times(count, () => session.remote.note(one)) };
  },
  "events of broadcast": async () => {
    const { serving, keep } = await served(full);
    const { port } = serving.localAddress;
    const clients = await Promise.all(Array.from({ length: 200 }, () => visitor(port)));
    const heldBytes = (): number => serving.stats.heldBytes;
    const fill = async (): Promise<void> => {
      for (let round = 0; round < 1000; round += 1) serving.remote.tick(one);
      await sleep(50);
    };
    return { count: 200_000, heldBytes, keep: [...keep, clients], fill };
  },
  "calls that wait for room": async () => {
    const { session, heldBytes, keep } = await served({}, full);
    const count = 20_000;
    return { count, heldBytes, keep, fill: () => times(count, () => session.remote.quick()) };
  },
  "calls that wait for their answers, at both sides": async () => {
    const { session, bothHeld, settled, keep } = await served({ limits: { maxCalls: 100_000 } });
    const count = 20_000;
    const fill = async (): Promise<void> => {
      times(count, () => session.remote.stuck(one));
      await settled();
    };
    return { count, heldBytes: bothHeld, keep, fill };
  },
  "calls whose handlers run, at both sides": async () => {
    const tuning = { limits: { maxCalls: 100_000, maxConcurrentCalls: 100_000 } };
    const { session, bothHeld, settled, keep } = await served(tuning);
    const count = 20_000;
    const fill = async (): Promise<void> => {
      times(count, () => session.remote.stuck(one));
      await settled();
    };
    return { count, heldBytes: bothHeld, keep, fill };
  },
  "values that handlers have, at both sides": async () => {
    const tuning = { limits: { maxCalls: 100_000, maxConcurrentCalls: 100_000 } };
    const { session, bothHeld, settled, keep } = await served(tuning);
    const count = 5000;
    const question = { name: "somebody", tags: ["first", "second"], at: { x: 1, y: 2 } };
    const fill = async (): Promise<void> => {
      times(count, () => session.remote.asked(question));
      await settled();
    };
    return { count, heldBytes: bothHeld, keep, fill };
  },
  "streams that wait for room": async () => {
    const { session, heldBytes, keep } = await served({}, full);
    const count = 5000;
    return { count, heldBytes, keep, fill: () => times(count, () => session.remote.upload()) };
  },
  "streams that are open, at both sides": async () => {
    const { session, bothHeld, settled, keep } = await served({ limits: { maxStreams: 100_000 } });
    const count = 5000;
    const fill = async (): Promise<void> => {
      times(count, () => session.remote.upload());
      await settled();
    };
    return { count, heldBytes: bothHeld, keep, fill };
  },
  "calls between two sessions of a client": async () => {
    const { session, heldBytes, keep } = await betweenSessions();
    const count = 10_000;
    return { count, heldBytes, keep, fill: () => times(count, () => session.remote.quick()) };
  },
  "events between two sessions of a client": async () => {
    const { session, heldBytes, keep } = await betweenSessions();
    const count = 15_000;
    return { count, heldBytes, keep, fill: () => times(count, () => session.remote.note(one)) };
  },
  "items that wait for room": async () => {
    const { session, heldBytes, keep } = await served({ limits: { streamWindowBytes: 1 } });
    const items = session.remote.upload();
    await session.remote.quick();
    const count = 16_000;
    return { count, heldBytes, keep: [...keep, items], fill: () => times(count, () => items.send(one)) };
  },
  "items that nobody reads": async () => {
    const { serving, session, settled, keep } = await served({ limits: { streamWindowBytes: 100_000_000 } });
    const items = session.remote.upload();
    await session.remote.quick();
    const count = 300_000;
    const fill = async (): Promise<void> => {
      for (let sent = 0; sent < count; sent += 1) await items.send(one);
      await settled();
    };
    return { count, heldBytes: () => serving.stats.heldBytes, keep: [...keep, items], fill };
  },
  "events behind a handler": async () => {
    const { serving, session, settled, keep } = await served({ limits: { windowBytes: 100_000_000 } });
    const count = 400_000;
    const fill = async (): Promise<void> => {
      for (let sent = 0; sent < count; sent += 1) await session.remote.note(one);
      await settled();
    };
    return { count, heldBytes: () => serving.stats.heldBytes, keep, fill };
  },
  "messages that are not acknowledged": async () => {
    const resume = { maxReplayMessages: 1_000_000, maxReplayBytes: Infinity, maxReplayAgeMs: Infinity };
    const { serving, keep } = await served({ resume });
    const before = new Set(serving.sessions.keys());
    const client = await visitor(serving.localAddress.port);
    const session = [...serving.sessions.values()].find(({ id }) => !before.has(id));
    const count = 100_000;
    const fill = async (): Promise<void> => {
      times(count, () => session?.remote.tick(one));
      await sleep(200);
    };
    return { count, heldBytes: () => session?.stats.heldBytes ?? 0, keep: [...keep, client], fill };
  },
  "sessions without a connection": async () => {
    const { serving, keep } = await served({
      limits: { maxSessionsPerAddress: Infinity },
      resume: { resumeTimeoutMs: Infinity },
    });
    const count = 1000;
    const come = async (): Promise<void> => {
      const client = await visitor(serving.localAddress.port);
      client.resetAndDestroy();
    };
    const fill = async (): Promise<void> => {
      for (let made = 0; made < count; made += 50) await Promise.all(times(50, come));
      while (serving.stats.detached < count) await sleep(10);
      await sleep(100);
    };
    return { count, heldBytes: () => serving.stats.heldBytes, keep, fill };
  },
  "the beginning of a message": async () => {
    const { serving, keep } = await served();
    const client = await visitor(serving.localAddress.port);
    const head = Buffer.from([0, 0x0f, 0xff, 0xff, 0x40]);
    const fill = async (): Promise<void> => {
      client.write(Buffer.concat([head, Buffer.alloc(900_000)]));
      while ([...serving.sessions.values()].every(({ stats }) => stats.heldBytes < 900_000)) await sleep(10);
    };
    return { count: 1, heldBytes: () => serving.stats.heldBytes, keep: [...keep, client], fill };
  },
};

/** The queues of sockets, by name. */
export const socketQueues: Readonly<Record<string, () => Promise<Filled>>> = {
  "small writes": async () => {
    const { caller, keep } = await blocked();
    const count = 3_000_000;
    const fill = (): void => {
      for (let written = 0; written < count; written += 1) void caller.write(one);
    };
    return { count, heldBytes: () => caller.outbound.heldBytes, keep, fill };
  },
  "small writes with a time-out": async () => {
    const { caller, keep } = await blocked();
    const count = 8000;
    const fill = (): void => void times(count, () => caller.write(one, { timeoutMs: 600_000 }));
    return { count, heldBytes: () => caller.outbound.heldBytes, keep, fill };
  },
  "writes of some kilobytes": async () => {
    const { caller, keep } = await blocked();
    const count = 1000;
    const fill = (): void => void times(count, () => caller.write(Buffer.alloc(2000)));
    return { count, heldBytes: () => caller.outbound.heldBytes, keep, fill };
  },
  "messages of a framed connection": async () => {
    const { framed, keep } = await blockedFraming(lengthPrefix() as never, Buffer.alloc(60_000));
    const count = 30_000;
    return {
      count,
      heldBytes: () => framed.heldBytes,
      keep,
      fill: () => void times(count, () => framed.send(Buffer.alloc(1))),
    };
  },
  "objects of a framed connection": async () => {
    const { framed, keep } = await blockedFraming(chain(lengthPrefix(), json()) as never, "x".repeat(60_000));
    const count = 20_000;
    const fill = (): void =>
      void times(count, (index) => framed.send({ index, at: { x: index, y: 0 }, tags: ["a", "b"] }));
    return { count, heldBytes: () => framed.heldBytes, keep, fill };
  },
  "datagrams that nobody receives": async () => {
    const [box, other] = await Promise.all([bind("udp://127.0.0.1:0"), bind("udp://127.0.0.1:0")]);
    const count = 4000;
    const fill = async (): Promise<void> => {
      for (let sent = 0; sent < count; sent += 1) {
        await other.send(one, box.localAddress);
        // The kernel drops what it has no room for.
        while (box.stats.datagramsReceived <= sent) await sleep(0);
      }
    };
    return { count, heldBytes: () => box.stats.heldBytes, keep: [box, other], fill };
  },
  "datagrams that wait to be sent": async () => {
    const resolve = (): Promise<never> => never;
    const network = { ...nodeNetwork, sockets: { ...nodeNetwork.sockets, resolve } };
    const box = await bind("udp://127.0.0.1:0", { network });
    const count = 3000;
    const fill = (): void => void times(count, () => box.send(one, "udp://somewhere.example:7"));
    return { count, heldBytes: () => box.stats.heldBytes, keep: [box], fill };
  },
  "connections that nobody accepts": async () => {
    const listener = await listen("tcp://127.0.0.1:0");
    const clients: net.Socket[] = [];
    const fill = async (): Promise<void> => {
      for (let made = 0; made < 120; made += 1) {
        const client = net.connect(listener.localAddress.port, "127.0.0.1");
        await once(client, "connect");
        client.end(Buffer.alloc(20_000));
        clients.push(client);
      }
      while (listener.stats.heldBytes < 120 * 20_000) await sleep(10);
      for (const client of clients.splice(0)) client.destroy();
      await sleep(50);
    };
    return { count: 120, heldBytes: () => listener.stats.heldBytes, keep: [listener, clients], fill };
  },
};

/** What is in use, when nothing is left to be collected: memory of buffers is given back a little later. */
async function heapBytes(): Promise<number> {
  for (let round = 0; round < 6; round += 1) {
    (globalThis as unknown as { gc(): void }).gc();
    await sleep(20);
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const make = { ...sessionQueues, ...socketQueues }[process.argv[2] ?? ""];
if (make !== undefined) {
  const queue = await make();
  const heapBefore = await heapBytes();
  const heldBefore = queue.heldBytes();
  const kept = await queue.fill();
  const filledBytes = queue.heldBytes() - heldBefore;
  const grownBytes = (await heapBytes()) - heapBefore;
  const heldBytes = queue.heldBytes() - heldBefore;
  const measured = { count: queue.count, filledBytes, heldBytes, grownBytes, kept: kept !== undefined };
  process.stdout.write(`${JSON.stringify(measured)}\n`, () => process.exit(0));
}

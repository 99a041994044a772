/** The processes of bench/sockets.ts: raw `node:net` and Zócalo doing the same work. */

import net from "node:net";
import { connect, listen, type StreamSocket } from "../../src/index.ts";
import { percentile } from "../harness/figures.ts";
import { play, type Role } from "../harness/processes.ts";
import { rawBetween, zocaloBetween } from "./relay-roles.ts";
import { datagramSender, rawDatagramSocket, zocaloDatagramSocket } from "./datagram-roles.ts";

const HOST = "127.0.0.1";
const SLICE = Buffer.alloc(262_144, 7);

/** Reads a stream to its end; answers the bytes, the seconds and the processor seconds that it took. */
type Drain<Socket> = (socket: Socket) => Promise<number>;

async function timed<Socket>(socket: Socket, drain: Drain<Socket>): Promise<{ seconds: number; cpu: number }> {
  const startedAt = performance.now();
  const before = process.cpuUsage();
  const bytes = await drain(socket);
  const { user, system } = process.cpuUsage(before);
  const seconds = (performance.now() - startedAt) / 1000;
  return { seconds: seconds / bytes, cpu: (user + system) / bytes };
}

const drainRaw: Drain<net.Socket> = (socket) =>
  new Promise((resolve) => {
    let bytes = 0;
    socket.on("data", (chunk) => {
      bytes += chunk.length;
    });
    socket.on("end", () => resolve(bytes));
    socket.resume();
  });

const drainRead: Drain<StreamSocket> = async (socket) => {
  let bytes = 0;
  for (let chunk = await socket.read(); chunk !== null; chunk = await socket.read()) bytes += chunk.length;
  return bytes;
};

const drainReadInto: Drain<StreamSocket> = async (socket) => {
  const target = Buffer.allocUnsafeSlow(65_536);
  let bytes = 0;
  for (let count = await socket.readInto(target); count !== null; count = await socket.readInto(target)) bytes += count;
  return bytes;
};

/** Sends `bytes` through a raw socket as fast as the kernel takes them, then FIN. */
function pump(socket: net.Socket, bytes: number): void {
  let left = bytes;
  const more = (): void => {
    while (left > 0) {
      left -= SLICE.length;
      if (!socket.write(SLICE)) {
        socket.once("drain", more);
        return;
      }
    }
    socket.end();
  };
  more();
}

function portOf(server: net.Server): number {
  return (server.address() as net.AddressInfo).port;
}

function listening(server: net.Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen({ port: 0, host: HOST, backlog: 4096 }, () => resolve(portOf(server)));
  });
}

/** Sends bulk data to whoever connects (`serve`) or whom it connects to (`call`). */
function sender(): Role {
  return {
    serve: async ({ bytes = 0 }) => {
      const server = net.createServer((socket) => pump(socket, bytes));
      return { port: await listening(server) };
    },
    call: ({ port = 0, bytes = 0 }) => {
      const socket = net.connect(port, HOST, () => pump(socket, bytes));
      return {};
    },
  };
}

/** Receives bulk data with a raw socket. */
function rawReceiver(): Role {
  let accepted: Promise<{ seconds: number; cpu: number }> | undefined;
  return {
    serve: async () => {
      const server = net.createServer({ pauseOnConnect: true });
      accepted = new Promise((resolve) => {
        server.once("connection", (socket: net.Socket) => resolve(timed(socket, drainRaw)));
      });
      return { port: await listening(server) };
    },
    served: async () => await (accepted as NonNullable<typeof accepted>),
    call: ({ port = 0 }) =>
      new Promise((resolve) => {
        const socket = net.connect(port, HOST, () => resolve(timed(socket, drainRaw)));
      }),
  };
}

/** Receives bulk data with Zócalo. */
function zocaloReceiver(drain: Drain<StreamSocket>): () => Role {
  return () => {
    let accepted: Promise<{ seconds: number; cpu: number }> | undefined;
    return {
      serve: async () => {
        const listener = await listen(`tcp://${HOST}:0`);
        accepted = listener.accept().then((socket) => timed(socket, drain));
        return { port: listener.localAddress.port };
      },
      served: async () => await (accepted as NonNullable<typeof accepted>),
      call: async ({ port = 0 }) => await timed(await connect(`tcp://${HOST}:${port}`), drain),
    };
  };
}

const BALL = Buffer.alloc(64, 1);

/** Answers every 64 bytes. */
function rawEcho(): Role {
  return {
    serve: async () => {
      const server = net.createServer({ noDelay: true }, (socket) => {
        socket.on("data", (chunk) => socket.write(chunk));
      });
      return { port: await listening(server) };
    },
  };
}

function zocaloEcho(): Role {
  return {
    serve: async () => {
      const listener = await listen(`tcp://${HOST}:0`);
      void (async () => {
        for await (const peer of listener) {
          const echo = async (): Promise<void> => {
            for (let chunk = await peer.read(); chunk !== null; chunk = await peer.read()) await peer.write(chunk);
          };
          void echo().catch(() => peer.abort());
        }
      })();
      return { port: listener.localAddress.port };
    },
  };
}

function spread(times: Float64Array): { p50: number; p99: number } {
  times.sort();
  return { p50: percentile(times, 0.5), p99: percentile(times, 0.99) };
}

/** Plays ping-pong with a raw socket: microseconds of a round trip. */
function rawPing(): Role {
  return {
    play: ({ port = 0, count = 0, warmUp = 0 }) =>
      new Promise((resolve) => {
        const times = new Float64Array(count);
        let round = -warmUp;
        let sentAt = 0;
        let missing = 0;
        const socket = net.connect({ port, host: HOST, noDelay: true });
        const serve = (): void => {
          missing = BALL.length;
          sentAt = performance.now();
          socket.write(BALL);
        };
        socket.on("connect", serve);
        socket.on("data", (chunk) => {
          missing -= chunk.length;
          if (missing > 0) return;
          if (round >= 0) times[round] = (performance.now() - sentAt) * 1000;
          round += 1;
          if (round < count) serve();
          else {
            socket.destroy();
            resolve(spread(times));
          }
        });
      }),
  };
}

function zocaloPing(): Role {
  return {
    play: async ({ port = 0, count = 0, warmUp = 0 }) => {
      const times = new Float64Array(count);
      const socket = await connect(`tcp://${HOST}:${port}`);
      for (let round = -warmUp; round < count; round += 1) {
        const sentAt = performance.now();
        await socket.write(BALL);
        await socket.readExactly(BALL.length);
        if (round >= 0) times[round] = (performance.now() - sentAt) * 1000;
      }
      socket.abort();
      return spread(times);
    },
  };
}

/** Bytes of this process after garbage collection, code and stacks left out. */
async function memory(): Promise<{ bytes: number }> {
  for (let round = 0; round < 4; round += 1) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return { bytes: heapUsed + external + arrayBuffers };
}

/** Holds idle connections. `external` contains array buffers already in Node; both sides are counted alike. */
function rawHolder(): Role {
  const held = new Set<net.Socket>();
  return {
    serve: async () => {
      const server = net.createServer((socket) => {
        held.add(socket);
        socket.on("data", () => undefined);
        socket.on("error", () => undefined);
        socket.on("close", () => held.delete(socket));
      });
      return { port: await listening(server) };
    },
    memory,
    held: () => ({ count: held.size }),
  };
}

function zocaloHolder(): Role {
  const held = new Set<StreamSocket>();
  return {
    serve: async () => {
      const listener = await listen(`tcp://${HOST}:0`, { limits: { maxConnections: 20_000, maxBacklog: 4096 } });
      void (async () => {
        for await (const peer of listener) {
          held.add(peer);
        }
      })();
      return { port: listener.localAddress.port };
    },
    memory,
    held: () => ({ count: held.size }),
  };
}

/** Opens idle connections. */
function crowd(): Role {
  const sockets: net.Socket[] = [];
  return {
    join: async ({ port = 0, count = 0 }) => {
      for (let joined = 0; joined < count; joined += 1) {
        await new Promise<void>((resolve, reject) => {
          const socket = net.connect(port, HOST, resolve).on("error", reject);
          sockets.push(socket);
        });
      }
      return { count: sockets.length };
    },
  };
}

play({
  sender,
  rawReceiver,
  zocaloRead: zocaloReceiver(drainRead),
  zocaloReadInto: zocaloReceiver(drainReadInto),
  rawEcho,
  zocaloEcho,
  rawPing,
  zocaloPing,
  rawHolder,
  zocaloHolder,
  crowd,
  rawBetween,
  zocaloBetween,
  datagramSender,
  rawDatagramSocket,
  zocaloDatagramSocket: zocaloDatagramSocket(false),
  zocaloBatches: zocaloDatagramSocket(true),
});

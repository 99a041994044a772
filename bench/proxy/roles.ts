/** The processes of bench/proxy.ts: the proxy without and with faults, `socat`, and who measures what comes through. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import net from "node:net";
import { setTimeout } from "node:timers/promises";
import { type FaultProxy, type ProxyFault, startProxy } from "../../src/proxy.ts";
import { percentile } from "../harness/figures.ts";
import { type Figures, play, type Role } from "../harness/processes.ts";
import { rawBetween, spent } from "../sockets/relay-roles.ts";
import { datagramCounter, datagramSender, rawDatagramBetween } from "./datagram-roles.ts";

const HOST = "127.0.0.1";
const MEGABYTE = 1_000_000;

/**
 * Megabytes of this process, what it shares with others in parts, after garbage collection in a calm time: V8 keeps 32 MB for
 * what is made next until nothing much has been made for some seconds.
 */
async function memory(): Promise<Figures> {
  for (let round = 0; round < 4; round += 1) {
    await setTimeout(5000);
    globalThis.gc?.();
  }
  const [, kibibytes] = /^Pss:\s+(\d+)/m.exec(readFileSync("/proc/self/smaps_rollup", "utf8")) ?? [];
  return { megabytes: (Number(kibibytes) * 1024) / MEGABYTE };
}

/** The proxy, with the faults that the figures of `serve` ask for. */
function faultProxy(transport: "tcp" | "udp"): () => Role {
  return () => {
    let proxy: FaultProxy | undefined;
    return {
      serve: async ({ port = 0, latencyMs, bitsPerSecond }) => {
        const faults: ProxyFault[] = [];
        const way = { from: "client", to: "server" } as const;
        if (latencyMs !== undefined) faults.push({ kind: "latency", ...way, latency: latencyMs });
        if (bitsPerSecond !== undefined) faults.push({ kind: "bandwidth", ...way, bitsPerSecond });
        const running = await startProxy({
          proxies: [{ name: "p", upstream: `${transport}://${HOST}:${port}`, faults }],
        });
        proxy = running.proxies.get("p");
        return { port: proxy?.listen.port ?? 0 };
      },
      memory,
      spent: spent(),
      held: () => ({ count: proxy?.connections.length ?? 0 }),
      bytes: () => ({ came: proxy?.bytes.fromClient ?? 0, passed: proxy?.bytes.toServer ?? 0 }),
    };
  };
}

/** Node's `pipe` as the proxy in the middle. */
function pipe(): Role {
  return { ...rawBetween(), memory };
}

function socat(): Role {
  let child: ChildProcess | undefined;
  process.on("SIGTERM", () => {
    child?.kill();
    process.exit();
  });
  return {
    serve: async ({ port = 0 }) => {
      const listening = `TCP-LISTEN:0,bind=${HOST},fork,nodelay`;
      child = spawn("socat", ["-d", "-d", listening, `TCP:${HOST}:${port},nodelay`], {
        stdio: ["ignore", "ignore", "pipe"],
      });
      const { stderr } = child;
      if (stderr === null) throw new Error("socat has no output");
      let said = "";
      for (;;) {
        const [text] = (await once(stderr, "data")) as [Buffer];
        said += String(text);
        const [, at] = /listening on .*:(\d+)/.exec(said) ?? [];
        if (at !== undefined) return { port: Number(at) };
      }
    },
  };
}

/** A server and a client in one process, so that one clock measures the way through a proxy. */
function probe(): Role {
  let arrived: (chunk: Buffer) => void = () => undefined;
  const server = net.createServer({ noDelay: true }, (socket) => socket.on("data", (chunk) => arrived(chunk)));
  return {
    listen: async () => {
      server.listen(0, HOST);
      await once(server, "listening");
      return { port: (server.address() as net.AddressInfo).port };
    },
    /** Milliseconds from the write of one byte to its arrival. */
    delays: async ({ port = 0, count = 0, gapMs = 0 }) => {
      const socket = net.connect({ port, host: HOST, noDelay: true });
      await once(socket, "connect");
      const sentAt: number[] = [];
      const delays: number[] = [];
      const all = new Promise<void>((resolve) => {
        arrived = (chunk) => {
          const now = performance.now();
          for (let byte = 0; byte < chunk.length; byte += 1) delays.push(now - (sentAt[delays.length] as number));
          if (delays.length >= count) resolve();
        };
      });
      for (let number = 0; number < count; number += 1) {
        sentAt.push(performance.now());
        socket.write("x");
        // Not in step with the timers of the proxy.
        await setTimeout(gapMs * (1 + (number % 7) / 7));
      }
      await all;
      socket.destroy();
      const sorted = Float64Array.from(delays).sort();
      return { least: sorted[0] as number, p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) };
    },
    /** Bytes a second of a sender that sends all it can, from the first byte on. */
    rate: async ({ port = 0, forMs = 0 }) => {
      const socket = net.connect({ port, host: HOST });
      const block = Buffer.alloc(65_536);
      const more = (): void => void (socket.write(block) ? setImmediate(more) : undefined);
      socket.on("drain", more).on("error", () => undefined);
      let bytes = 0;
      const began = new Promise<number>((resolve) => {
        arrived = (chunk) => {
          if (bytes === 0) resolve(performance.now());
          bytes += chunk.length;
        };
      });
      socket.on("connect", more);
      const startedAt = await began;
      const first = bytes;
      await setTimeout(forMs);
      const rate = ((bytes - first) * 1000) / (performance.now() - startedAt);
      socket.destroy();
      return { rate };
    },
  };
}

/** A server that never reads, and a client that writes all it can. */
function deaf(): Role {
  const held: net.Socket[] = [];
  const server = net.createServer({ pauseOnConnect: true }, (socket) => held.push(socket));
  return {
    listen: async () => {
      server.listen(0, HOST);
      await once(server, "listening");
      return { port: (server.address() as net.AddressInfo).port };
    },
    shout: async ({ port = 0, count = 0, forMs = 0 }) => {
      const block = Buffer.alloc(65_536);
      for (let joined = 0; joined < count; joined += 1) {
        const socket = net.connect({ port, host: HOST });
        const more = (): void => void (socket.write(block) ? setImmediate(more) : undefined);
        socket
          .on("drain", more)
          .on("connect", more)
          .on("error", () => undefined);
        held.push(socket);
      }
      await setTimeout(forMs);
      return { bytes: held.reduce((sum, socket) => sum + socket.bytesWritten, 0) };
    },
  };
}

play({
  proxy: faultProxy("tcp"),
  datagramProxy: faultProxy("udp"),
  pipe,
  socat,
  probe,
  deaf,
  rawDatagramBetween,
  datagramSender,
  datagramCounter,
});

/** The datagram roles of bench/sockets.ts: raw `node:dgram` and Zócalo receiving the same paced datagrams. */

import dgram from "node:dgram";
import { bind } from "../../src/index.ts";
import type { Role } from "../harness/processes.ts";

const HOST = "127.0.0.1";
const PAYLOAD = Buffer.alloc(64, 1);
const RECEIVE_BUFFER_BYTES = 4_194_304;

/** Sends `count` datagrams in bursts with a pause between, so that a receiver of that speed loses next to nothing. */
export function datagramSender(): Role {
  return {
    send: ({ port = 0, count = 0, perSecond = 0 }) =>
      new Promise((resolve) => {
        const socket = dgram.createSocket("udp4");
        const startedAt = performance.now();
        let sent = 0;
        const burst = (): void => {
          const due = Math.min(count, Math.ceil(((performance.now() - startedAt) / 1000) * perSecond), sent + 64);
          while (sent < due) {
            sent += 1;
            socket.send(PAYLOAD, port, HOST);
          }
          if (sent < count) setImmediate(burst);
          else socket.close(() => resolve({ seconds: (performance.now() - startedAt) / 1000 }));
        };
        socket.bind(0, HOST, burst);
      }),
  };
}

interface Tally {
  received: number;
  cpu: NodeJS.CpuUsage;
}

function figures({ received, cpu }: Tally): { received: number; cpu: number } {
  const { user, system } = process.cpuUsage(cpu);
  return { received, cpu: (user + system) / received };
}

/** Receives with a raw socket. */
export function rawDatagramSocket(): Role {
  const tally: Tally = { received: 0, cpu: process.cpuUsage() };
  return {
    open: () =>
      new Promise((resolve) => {
        const socket = dgram.createSocket({ type: "udp4", recvBufferSize: RECEIVE_BUFFER_BYTES });
        socket.on("message", (data) => {
          tally.received += data.length === PAYLOAD.length ? 1 : 0;
        });
        socket.bind(0, HOST, () => {
          tally.cpu = process.cpuUsage();
          resolve({ port: socket.address().port });
        });
      }),
    figures: () => figures(tally),
  };
}

/** Receives with Zócalo: one datagram at a time, or in batches. */
export function zocaloDatagramSocket(inBatches: boolean): () => Role {
  return () => {
    const tally: Tally = { received: 0, cpu: process.cpuUsage() };
    return {
      open: async () => {
        const box = await bind(`udp://${HOST}:0`, { udp: { receiveBufferBytes: RECEIVE_BUFFER_BYTES } });
        tally.cpu = process.cpuUsage();
        const one = async (): Promise<void> => {
          for await (const { data } of box) tally.received += data.length === PAYLOAD.length ? 1 : 0;
        };
        const many = async (): Promise<void> => {
          for await (const batch of box.batches()) {
            for (const { data } of batch) tally.received += data.length === PAYLOAD.length ? 1 : 0;
          }
        };
        void (inBatches ? many() : one());
        return { port: box.localAddress.port };
      },
      figures: () => figures(tally),
    };
  };
}

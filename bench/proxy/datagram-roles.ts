/** The datagram roles of bench/proxy.ts: who sends at a pace, who counts, and raw `node:dgram` in the middle. */

import dgram from "node:dgram";
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import type { Role } from "../harness/processes.ts";
import { spent } from "../sockets/relay-roles.ts";

const HOST = "127.0.0.1";
const RECEIVE_BUFFER_BYTES = 4_194_304;
/** Payloads have 64 to 200 bytes. */
const PAYLOADS: readonly Buffer[] = Array.from({ length: 137 }, (_, more) => Buffer.alloc(64 + more, 1));

async function bound(port: number | undefined): Promise<dgram.Socket> {
  const socket = dgram.createSocket({ type: "udp4", recvBufferSize: RECEIVE_BUFFER_BYTES });
  socket.on("error", () => undefined).bind(0, HOST);
  await once(socket, "listening");
  if (port !== undefined) {
    socket.connect(port, HOST);
    await once(socket, "connect");
  }
  return socket;
}

/** Sends `count` datagrams, from `flows` sockets in turns, at `perSecond`. */
export function datagramSender(): Role {
  return {
    send: async ({ port = 0, count = 0, perSecond = 0, flows = 1 }) => {
      const sockets = await Promise.all(Array.from({ length: flows }, async () => await bound(port)));
      const startedAt = performance.now();
      let bytes = 0;
      for (let sent = 0; sent < count; ) {
        const due = Math.min(count, Math.ceil(((performance.now() - startedAt) / 1000) * perSecond), sent + 512);
        for (; sent < due; sent += 1) {
          const payload = PAYLOADS[sent % PAYLOADS.length] as Buffer;
          (sockets[sent % flows] as dgram.Socket).send(payload);
          bytes += payload.length;
        }
        // Not each turn of the event loop: who spins takes the processor from the others.
        await setTimeout(1);
      }
      return { seconds: (performance.now() - startedAt) / 1000, bytes };
    },
  };
}

/** Counts what arrives. */
export function datagramCounter(): Role {
  let received = 0;
  let bytes = 0;
  return {
    open: async () => {
      const socket = await bound(undefined);
      socket.on("message", (data) => {
        received += 1;
        bytes += data.length;
      });
      return { port: socket.address().port };
    },
    figures: () => ({ received, bytes }),
  };
}

/** Passes on by raw `node:dgram`, with a socket for each client. */
export function rawDatagramBetween(): Role {
  let came = 0;
  let passed = 0;
  return {
    serve: async ({ port = 0 }) => {
      const door = await bound(undefined);
      const flows = new Map<number, dgram.Socket>();
      const opening = new Map<number, Buffer[]>();
      const pass = (socket: dgram.Socket, data: Buffer): void => {
        passed += data.length;
        socket.send(data);
      };
      const open = async (client: number, waiting: Buffer[]): Promise<void> => {
        const socket = await bound(port);
        socket.on("message", (data) => door.send(data, client, HOST));
        flows.set(client, socket);
        for (const data of waiting) pass(socket, data);
      };
      door.on("message", (data, from) => {
        came += data.length;
        const flow = flows.get(from.port);
        if (flow !== undefined) return pass(flow, data);
        const waiting = opening.get(from.port);
        if (waiting !== undefined) return void waiting.push(data);
        const first = [data];
        opening.set(from.port, first);
        void open(from.port, first);
      });
      return { port: door.address().port };
    },
    spent: spent(),
    bytes: () => ({ came, passed }),
  };
}

/** What it costs to end many calls that wait on one socket, by one signal. */

import { lengthPrefix } from "../../src/framing.ts";
import { bind, listen, pair } from "../../src/index.ts";
import type { Figures } from "../harness/processes.ts";

/** A call that waits until its signal aborts, and what ends its socket. */
interface Scene {
  call(signal: AbortSignal): Promise<unknown>;
  end(): unknown;
}

/** By the name of the call. */
export const SCENES: Readonly<Record<string, () => Promise<Scene>>> = {
  read: async () => {
    const [socket] = pair();
    return { call: (signal) => socket.read({ signal }), end: () => socket.abort() };
  },
  write: async () => {
    const [socket] = pair({ limits: { maxWriteQueueBytes: 1e9 } });
    void socket.write(Buffer.alloc(1_000_000)).catch(() => undefined);
    return { call: (signal) => socket.write("x", { signal }), end: () => socket.abort() };
  },
  "framed receive": async () => {
    const [socket] = pair();
    const framed = socket.framed(lengthPrefix());
    return { call: (signal) => framed.receive({ signal }), end: () => socket.abort() };
  },
  "datagram receive": async () => {
    const socket = await bind("udp://127.0.0.1:0");
    return { call: (signal) => socket.receive({ signal }), end: () => socket.close() };
  },
  accept: async () => {
    const listener = await listen("tcp://127.0.0.1:0");
    return { call: (signal) => listener.accept({ signal }), end: () => listener.close() };
  },
};

/** Microseconds of processor time until all of `count` calls have been told: the least of three, since a collection may come between. */
export async function cancelling(open: () => Promise<Scene>, count: number): Promise<Figures> {
  const tries = [await cancelled(open, count), await cancelled(open, count), await cancelled(open, count)];
  return { us: Math.min(...tries) };
}

async function cancelled(open: () => Promise<Scene>, count: number): Promise<number> {
  const scene = await open();
  const stop = new AbortController();
  const reason = new Error("enough");
  const settled = Promise.allSettled(Array.from({ length: count }, () => scene.call(stop.signal)));
  (globalThis as { gc?: () => void }).gc?.();
  const before = process.cpuUsage();
  stop.abort(reason);
  const told = await settled;
  const { user, system } = process.cpuUsage(before);
  if (told.some((one) => one.status !== "rejected" || one.reason !== reason)) throw new Error("not all were cancelled");
  await scene.end();
  return user + system;
}

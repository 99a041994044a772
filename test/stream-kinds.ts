/** Tests that run over each kind of connection: an in-memory pair and TCP. */

import { test } from "node:test";
import { connect, listen, pair, type StreamSocket, type ZocaloError } from "../src/index.ts";

/** Both ends of a TCP connection. */
async function tcpPair(): Promise<[StreamSocket, StreamSocket]> {
  const door = await listen("tcp://127.0.0.1:0");
  const call = await connect(door.localAddress);
  const peer = await door.accept();
  await door.close();
  return [call, peer];
}

const KINDS = { pair: () => Promise.resolve(pair()), tcp: tcpPair };

/** Runs a test over each kind, and closes both ends after it. */
export function over(title: string, body: (left: StreamSocket, right: StreamSocket) => Promise<void>): void {
  for (const [kind, open] of Object.entries(KINDS)) {
    test(`${title}, over ${kind}`, async () => {
      const [left, right] = await open();
      try {
        await body(left, right);
      } finally {
        left.abort();
        right.abort();
      }
    });
  }
}

/** Whether an error has a code. */
export const coded = (code: string) => (error: unknown) => (error as ZocaloError).code === code;

/** Everything that an iteration gives. */
export async function allOf<T>(messages: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const message of messages) all.push(message);
  return all;
}

/** Lets the event loop turn until something is so. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}

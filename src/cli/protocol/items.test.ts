import assert from "node:assert/strict";
import { test } from "node:test";
import { contract, connectSession, serveSessions, stream, typeOnly } from "../../protocol.ts";
import type { DataInput } from "../terminal/standard-streams.ts";
import type { ServerMethod } from "./load-contract.ts";
import type { MessageEnds } from "../sockets/join.ts";
import { exchangeItems } from "./items.ts";

const numbers = contract("numbers", "1.0.0", {
  server: { double: stream({ sends: typeOnly<number>(), receives: typeOnly<number>() }) },
});
const double: ServerMethod = {
  name: "double",
  kind: "stream",
  input: undefined,
  shows: true,
  takes: numbers.server.double.receives,
};

/** Joins a stream to these pieces of stdin; answers the lines of stdout and the warnings. */
async function exchange(pieces: readonly string[], isTerminal: boolean) {
  await using server = await serveSessions(numbers, "tcp://127.0.0.1:0", {
    handlers: {
      async *double(_nothing, items) {
        for await (const item of items) yield 2 * item;
      },
    },
  });
  await using session = await connectSession(numbers, server.localAddress);
  const shown: string[] = [];
  const warnings: unknown[] = [];
  const left = pieces.map((piece) => Buffer.from(piece));
  const stdin: DataInput = { isTerminal, read: () => Promise.resolve(left.shift() ?? null) };
  const ends: MessageEnds = {
    stdin,
    stdout: { write: (data) => Promise.resolve(void shown.push(String(data))) },
    output: { warning: (error) => void warnings.push(error) },
    stop: new AbortController().signal,
  };
  const items = session.remote.double();
  const failure: unknown = await exchangeItems(items as never, double, ends).then(
    () => undefined,
    (error: unknown) => error,
  );
  return { shown: shown.join(""), warnings, failure, cancelled: items.signal.aborted };
}

test("lines are items however stdin is cut", async () => {
  const { shown, failure, cancelled } = await exchange(["1\n2", "0\r", "\n\n3"], false);
  assert.deepEqual([shown, failure, cancelled], ["2\n40\n6\n", undefined, false]);
});

test("at a terminal a line that is no item is told of, and the next one is tried", async () => {
  const typed = await exchange(["1\n", "zwei\n", "3\n"], true);
  assert.deepEqual([typed.shown, typed.failure, typed.warnings.length], ["2\n6\n", undefined, 1]);
  assert.match(String(typed.warnings[0]), /line 2 of stdin, an item of the stream double, needs JSON/);
  const piped = await exchange(["1\n", "zwei\n", "3\n"], false);
  assert.match(String(piped.failure), /^CommandError: FRAME_INVALID: stdin: line 2 of stdin/);
  assert.deepEqual([piped.warnings, piped.cancelled], [[], true]);
});

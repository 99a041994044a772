import assert from "node:assert/strict";
import { test } from "node:test";
import { inputLines } from "./listen-datagrams.ts";

/** An stdin that gives these pieces and ends. */
function inputOf(...pieces: readonly string[]): Parameters<typeof inputLines>[0] {
  const rest = pieces.map((piece) => Buffer.from(piece));
  return { isTerminal: false, read: () => Promise.resolve(rest.shift() ?? null) };
}

async function linesOf(...pieces: readonly string[]): Promise<readonly string[]> {
  const lines: string[] = [];
  for await (const line of inputLines(inputOf(...pieces), new AbortController().signal)) lines.push(String(line));
  return lines;
}

test("lines keep their ends, wherever the bytes are cut", async () => {
  assert.deepEqual(await linesOf("one\ntw", "o\r\n", "\n"), ["one\n", "two\r\n", "\n"]);
});

test("what stands behind the last line end is a line too", async () => {
  assert.deepEqual(await linesOf("one\ntwo"), ["one\n", "two"]);
  assert.deepEqual(await linesOf(), []);
});

test("a line without an end does not fill the memory", async () => {
  const lines = await linesOf("a".repeat(70_000), "b\n");
  assert.deepEqual(
    lines.map((line) => line.length),
    [70_000, 2],
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { Trace, type TraceRecord } from "./trace.ts";

function write(
  change: Partial<{ seed: number; t: number; flow: string; event: string; length: number; hash: number }>,
) {
  const lines: string[] = [];
  const trace = new Trace({ format: 1, seed: change.seed ?? 1 }, (line) => lines.push(line));
  trace.record(1, "a", "tcp", "send", 5, 99);
  trace.record(
    change.t ?? 2,
    "b",
    change.flow ?? "tcp",
    change.event ?? "receive",
    change.length ?? 5,
    change.hash ?? 99,
  );
  return { lines, digest: trace.digest };
}

test("a trace is a header and one line for each event, with the rolling hash", () => {
  const { lines, digest } = write({});
  assert.deepEqual(JSON.parse(lines[0] ?? ""), { format: 1, seed: 1 });
  const expected = { t: 2, host: "b", flow: "tcp", event: "receive", length: 5, hash: "00000063", digest };
  assert.deepEqual(JSON.parse(lines[2] ?? "") as TraceRecord, expected);
  assert.equal(lines.length, 3);
  assert.match(digest, /^[0-9a-f]{16}$/);
  assert.deepEqual(write({}).lines, lines);
});

test("whatever differs, the rolling hash differs, also long after the first 4,295 seconds", () => {
  const changes = [
    {},
    { seed: 2 },
    { t: 3 },
    { t: 2 + 2 ** 32 },
    { flow: "udp" },
    { event: "x" },
    { length: 6 },
    { hash: 1 },
  ];
  assert.equal(new Set(changes.map((change) => write(change).digest)).size, changes.length);
});

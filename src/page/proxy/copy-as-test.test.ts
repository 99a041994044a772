import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSchedule, serveApi, startProxy } from "../../proxy.ts";
import type { FaultFields, ProxyRow } from "../../proxy/page/wire.ts";
import { shellScript, toxiproxyCalls } from "./copy-as-test.ts";

const WAY = { from: "*", to: "*" };
const TO_SERVER = { from: "client", to: "server" };
const TO_CLIENT = { from: "server", to: "client" };
const FAULTS: readonly FaultFields[] = [
  { kind: "latency", ...WAY, latency: { kind: "uniform", fromMs: 50, toMs: 150 } },
  { kind: "latency", from: "client", to: "server", latency: 5 },
  { kind: "loss", ...WAY, chance: 0.1 },
  { kind: "burst-loss", ...WAY, enter: 0.125, leave: 0.375 },
  { kind: "bandwidth", from: "server", to: "client", bitsPerSecond: 512_000 },
  { kind: "slicing", ...WAY, averageBytes: 20, variationBytes: 5, delayMs: 2 },
  { kind: "cut", ...WAY, bytes: 2000 },
  { kind: "linger", ...WAY, delayMs: 10 },
  { kind: "timeout", ...WAY, when: { chance: 0.5 } },
  { kind: "reset", ...WAY },
];

function proxy(name: string, faults: readonly FaultFields[]): ProxyRow {
  const rows = faults.map((fault, index) => ({ id: index + 1, fault }));
  const [listen, upstream] = ["tcp://127.0.0.1:0", "tcp://127.0.0.1:9"];
  return { name, listen, upstream, datagrams: false, enabled: true, faults: rows };
}

test("the calls of Toxiproxy do the same faults", async (t) => {
  const running = await startProxy({});
  t.after(() => running.close({ timeoutMs: 0 }));
  const api = await serveApi(running, "127.0.0.1:0");
  t.after(() => api.close());
  const calls = toxiproxyCalls([proxy("a b", FAULTS)]);
  for (const line of calls.trim().split("\n")) {
    const [method = "", path = ""] = line.split(" ");
    const body = line.slice(method.length + path.length + 2);
    const answer = await fetch(api.url + path, { method, body, headers: { "user-agent": "test" } });
    assert.ok(answer.ok, `${line}: ${await answer.text()}`);
  }
  // A toxic has one direction, and a reset of Toxiproxy says when.
  const wanted = FAULTS.flatMap((fault) => {
    const ways = fault.from === "*" ? [TO_SERVER, TO_CLIENT] : [{}];
    return ways.map((way) => ({ ...fault, ...way, ...(fault.kind === "reset" ? { when: { afterMs: 0 } } : {}) }));
  });
  assert.deepEqual(running.proxies.get("a b")?.faults, wanted);
});

test("a reset of Toxiproxy is copied as the same reset", () => {
  const calls = toxiproxyCalls([proxy("a", [{ kind: "reset", ...WAY, when: { afterMs: 250 } }])]);
  assert.match(calls, /"type":"reset_peer","attributes":\{"timeout":250\}/);
  assert.doesNotMatch(calls, /no word/);
});

test("what Toxiproxy has no word for is said in a comment", () => {
  const calls = toxiproxyCalls([
    proxy("a", [
      { kind: "partition", ...WAY },
      { kind: "reset", ...WAY, when: { match: "QUIT" } },
    ]),
  ]);
  assert.equal(calls.match(/^# .* has no word in Toxiproxy$/gm)?.length, 2);
});

test("the script of the command has a schedule that can be read, and words that a shell takes", () => {
  const schedule = (script: string): string => /faults\.json <<'END'\n([\s\S]*?)\nEND/.exec(script)?.[1] ?? "";
  const one = shellScript(7, [{ ...proxy("main", FAULTS), upstream: "unix:/tmp/it's here" }], undefined);
  const { faults, seed } = parseSchedule(schedule(one));
  assert.deepEqual([seed, faults.length, faults[0]?.atMs], [7, FAULTS.length, 0]);
  assert.ok(
    one.endsWith(
      "zocalo proxy tcp://127.0.0.1:0 'unix:/tmp/it'\\''s here' --seed 7 --faults faults.json -- npm test\n",
    ),
  );
  const two = shellScript(7, [proxy("a", FAULTS.slice(0, 1)), proxy("b", FAULTS.slice(1))], undefined);
  assert.deepEqual(new Set(parseSchedule(schedule(two)).faults.map((fault) => fault.proxy)), new Set(["a", "b"]));
  assert.match(two, /--config proxies\.json/);
});

test("what was recorded goes before what acts now", () => {
  const recorded = { chaosMs: 50, faults: [{ kind: "partition", ...WAY, atMs: 10, lastsMs: 5 }] };
  assert.match(
    shellScript(1, [proxy("a", FAULTS)], recorded),
    /"chaosMs": 50,\n {2}"faults": \[\n {4}\{"kind":"partition"/,
  );
});

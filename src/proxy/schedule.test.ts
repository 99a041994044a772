import assert from "node:assert/strict";
import { test } from "node:test";
import { parseFaultList } from "../core/faults/fault-list.ts";
import { formatSchedule, type ParseScheduleOptions, parseSchedule, type ProxySchedule } from "./schedule.ts";

const WAY = { from: "client", to: "server" } as const;
const SCHEDULE: ProxySchedule = {
  format: 1,
  seed: 17,
  chaosMs: 1_000,
  faults: [
    { atMs: 5, lastsMs: 20, kind: "loss", from: "client", to: "*", chance: 0.25 },
    { atMs: 5, lastsMs: 20, kind: "slicing", ...WAY, averageBytes: 3, when: { connections: "1-2", match: "hola" } },
    { atMs: 6, lastsMs: 20, kind: "cut", ...WAY, bytes: 9, proxy: "db" },
    { atMs: 7, lastsMs: 0.5, kind: "linger", ...WAY, delayMs: 9 },
    { atMs: 8, lastsMs: 1, kind: "timeout", ...WAY },
    { atMs: 9, lastsMs: 1, kind: "corruption", ...WAY, chance: 1, middlebox: true },
    { atMs: 10, lastsMs: 100, kind: "isolate", host: "server" },
  ],
};

/** A list that a simulation has left, with hosts of its own. */
const SIMULATED = JSON.stringify({
  format: 1,
  simulation: "orders",
  seed: 3,
  failure: "TIMEOUT",
  chaosMs: 10_000,
  choices: { cutReads: false, permute: false, latency: 1 },
  faults: [
    { atMs: 0, lastsMs: 310, kind: "partition", from: "alice", to: "bob" },
    { atMs: 0, lastsMs: 310, kind: "loss", from: "*", to: "carol", chance: 1 },
    { atMs: 1, lastsMs: 310, kind: "isolate", host: "bob" },
  ],
});

test("a schedule that is written and read again is the same, with a line for each fault", () => {
  const text = formatSchedule(SCHEDULE);
  assert.deepEqual(parseSchedule(text), SCHEDULE);
  assert.equal(text.match(/^ {4}\{.*\},?$/gm)?.length, SCHEDULE.faults.length);
  assert.deepEqual(parseSchedule('{ "format": 1, "faults": [] }'), { format: 1, faults: [] });
});

test("a list of the simulator is a schedule, and hosts of other names are renamed", () => {
  const { faults, ...head } = parseSchedule(SIMULATED, { hosts: { client: ["alice"], server: ["bob", "carol"] } });
  assert.deepEqual(faults, [
    { atMs: 0, lastsMs: 310, kind: "partition", ...WAY },
    { atMs: 0, lastsMs: 310, kind: "loss", from: "*", to: "server", chance: 1 },
    { atMs: 1, lastsMs: 310, kind: "isolate", host: "server" },
  ]);
  assert.equal(head.simulation, "orders");
  // Names may change places.
  const swapped = parseSchedule(formatSchedule(SCHEDULE), { hosts: { client: "server", server: "client" } });
  assert.deepEqual(swapped.faults.at(-1), { ...SCHEDULE.faults.at(-1), host: "client" });
});

test("the simulator refuses what only a proxy has, and takes what both have", () => {
  const head = { simulation: "proxy", seed: 1, chaosMs: 50, choices: { cutReads: false, permute: false, latency: 0 } };
  for (const fault of SCHEDULE.faults) {
    const text = formatSchedule({ format: 1, ...head, faults: [fault] });
    if (fault.kind === "loss" || fault.kind === "isolate") assert.equal(parseFaultList(text).faults.length, 1);
    else
      assert.throws(
        () => parseFaultList(text),
        /faults\[0\]\.(kind|when|middlebox|proxy)\b.* is for zocalo\/proxy alone/,
      );
  }
});

test("what is no schedule is refused, and the field is named", () => {
  const loss = { atMs: 5, lastsMs: 20, kind: "loss", ...WAY, chance: 0.25 };
  const wrong: readonly (readonly [given: unknown, told: RegExp, options?: unknown])[] = [
    ["", /must be JSON, not ""/],
    ["{", /must be JSON/],
    [[], /schedule must be an object/],
    [null, /schedule must be an object/],
    [{ faults: [] }, /schedule\.format must be 1/],
    [{ format: 2, faults: [] }, /schedule\.format must be 1, not 2/],
    [{ format: 1 }, /schedule\.faults must be an array/],
    [{ format: 1, faults: [], speed: 2 }, /there is no option "schedule\.speed"/],
    [{ format: 1, faults: [], seed: -1 }, /schedule\.seed must be a whole number/],
    [{ format: 1, faults: [], chaosMs: "5" }, /schedule\.chaosMs must be a number/],
    [{ format: 1, faults: [3] }, /schedule\.faults\[0\] must be an object/],
    [{ format: 1, faults: [loss, null] }, /schedule\.faults\[1\] must be an object/],
    [{ format: 1, faults: [{ ...loss, kind: "meteor" }] }, /schedule\.faults\[0\]\.kind must be one of/],
    [{ format: 1, faults: [{ ...loss, kind: undefined }] }, /schedule\.faults\[0\]\.kind must be one of/],
    [{ format: 1, faults: [{ ...loss, chance: 2 }] }, /schedule\.faults\[0\]\.chance must be a probability/],
    [{ format: 1, faults: [{ ...loss, atMs: undefined }] }, /schedule\.faults\[0\]\.atMs must be a number/],
    [{ format: 1, faults: [{ ...loss, lastsMs: -1 }] }, /schedule\.faults\[0\]\.lastsMs must be a number/],
    [{ format: 1, faults: [{ ...loss, atMs: 1e300 }] }, /schedule\.faults\[0\]\.atMs must be a number of milliseconds/],
    [{ format: 1, faults: [{ ...loss, lastsMs: 2 ** 31 }] }, /schedule\.faults\[0\]\.lastsMs must be .*24\.8 days/],
    [{ format: 1, faults: [], chaosMs: 1e300 }, /schedule\.chaosMs must be a number of milliseconds/],
    [{ format: 1, faults: [{ ...loss, when: { connections: "5-2" } }] }, /faults\[0\]\.when\.connections must be/],
    [{ format: 1, faults: [{ ...loss, proxy: 3 }] }, /schedule\.faults\[0\]\.proxy must be a string/],
    [{ format: 1, faults: [{ ...loss, bytes: 3 }] }, /there is no option "schedule\.faults\[0\]\.bytes"/],
    [{ format: 1, faults: [{ ...loss, when: { connections: "x" } }] }, /schedule\.faults\[0\]\.when\.connections/],
    [{ format: 1, faults: [{ ...loss, middlebox: true }] }, /schedule\.faults\[0\]\.middlebox is for corruption/],
    [{ format: 1, faults: [{ atMs: 0, lastsMs: 1, kind: "crash", host: "server" }] }, /"crash" is no fault of a proxy/],
    [{ format: 1, faults: [{ atMs: 0, lastsMs: 1, kind: "skew", host: "server", skewMs: 1 }] }, /faults\[0\].*"skew"/],
    [{ format: 1, faults: [{ ...loss, from: "server" }] }, /about no way/],
    [SIMULATED, /has the hosts "alice", "bob", "carol".*say with `hosts`/],
    [SIMULATED, /has the hosts "client", "bob", "carol"/, { hosts: { client: "alice" } }],
    [SIMULATED, /has no host "dave"; it has "alice", "bob", "carol"/, { hosts: { client: "dave" } }],
    [SIMULATED, /about no way/, { hosts: { client: ["alice", "bob", "carol"] } }],
    [SIMULATED, /hosts\.client must be the name of a host/, { hosts: { client: 3 } }],
    [SIMULATED, /there is no option "hosts\.proxy"/, { hosts: { proxy: "alice" } }],
  ];
  for (const [given, told, options] of wrong) {
    const text = typeof given === "string" ? given : JSON.stringify(given);
    assert.throws(
      () => parseSchedule(text, options as ParseScheduleOptions),
      (error: Error & { readonly code?: string }) => error.code === "OPTION_INVALID" && told.test(error.message),
      `${text.slice(0, 150)} ${String(told)}`,
    );
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { expectError } from "../testing/expect-error.ts";
import { NAME, planOf } from "./options.ts";
import type { ProxyDefinition } from "./public.ts";
import { startProxy } from "./start-proxy.ts";

const UPSTREAM = "tcp://127.0.0.1:9";
const SLOW = { kind: "latency", from: "client", to: "server", latency: 10 } as const;
const RULES = { expose: false, maxFaults: 2 };

test("a name can be a part of the path of a URL", () => {
  for (const name of ["a", "...", ".a", "a..", "zócalo", "😀", "a b", "%2F", "a?b#c", "\\"]) {
    assert.ok(NAME.holds(name), name);
    const at = new URL(`http://127.0.0.1/proxies/${encodeURIComponent(name)}`);
    assert.equal(decodeURIComponent(at.pathname.slice("/proxies/".length)), name);
  }
  for (const name of ["", ".", "..", "/", "a/b", "\ud83d", "a\udc00", 3, undefined, null]) {
    assert.ok(!NAME.holds(name), String(name));
  }
});

test("a definition that makes no sense is refused, and the field is named", () => {
  const wrong: readonly (readonly [change: object, told: RegExp])[] = [
    [{ name: ".." }, /proxies\[0\]\.name must be a text that is not empty, "\." or "\.\."/],
    [{ name: "a/b" }, /proxies\[0\]\.name must be a text/],
    [{ upstream: "tcp://127.0.0.1:0" }, /proxies\[0\]\.upstream must have a port from 1 on/],
    [{ upstream: "udp://127.0.0.1:0" }, /proxies\[0\]\.upstream must have a port from 1 on/],
    [{ faults: [SLOW, SLOW, SLOW] }, /proxies\[0\]\.faults must have limits\.maxFaults \(2\) items at most, not 3/],
    ...[
      ["5-2", "connections"],
      ["0", "connections"],
      ["0-3", "connections"],
      ["-1", "connections"],
      ["1e3", "connections"],
      [`${"9".repeat(400)}-`, "connections"],
      [1.5, "bytes"],
      [2 ** 60, "bytes"],
      [2 ** 31, "afterMs"],
      [1e300, "afterMs"],
      [Infinity, "afterMs"],
      [2, "chance"],
    ].map(([value, field]) => {
      const told = new RegExp(`proxies\\[0\\]\\.faults\\[0\\]\\.when\\.${String(field)} must be`);
      return [{ faults: [{ ...SLOW, when: { [String(field)]: value } }] }, told] as const;
    }),
    [
      { faults: [{ ...SLOW, latency: { kind: "uniform", fromMs: 5, toMs: 2 } }] },
      /faults\[0\]\.latency\.toMs \(2\) must not/,
    ],
    [
      { faults: [{ ...SLOW, latency: { kind: "normal", meanMs: 5, deviationMs: 1e300 } }] },
      /latency\.deviationMs must be/,
    ],
    [{ faults: [{ ...SLOW, latency: 1e300 }] }, /faults\[0\]\.latency must be a number of milliseconds/],
    [{ faults: [{ kind: "timeout", from: "*", to: "*", afterMs: 1e300 }] }, /faults\[0\]\.afterMs must be/],
    [{ faults: [{ kind: "linger", from: "*", to: "*", delayMs: 1e300 }] }, /faults\[0\]\.delayMs must be/],
    [
      { faults: [{ kind: "slicing", from: "*", to: "*", averageBytes: 1, delayMs: 1e300 }] },
      /faults\[0\]\.delayMs must/,
    ],
    [
      { faults: [{ kind: "reordering", from: "*", to: "*", chance: 1, delayMs: 1e300 }] },
      /faults\[0\]\.delayMs must be/,
    ],
    [{ faults: [{ kind: "bandwidth", from: "*", to: "*", bitsPerSecond: 0 }] }, /faults\[0\]\.bitsPerSecond must be/],
    [{ faults: [{ kind: "burst-loss", from: "*", to: "*", enter: 2, leave: 1 }] }, /faults\[0\]\.enter must be/],
  ];
  for (const [change, message] of wrong) {
    const definition = { name: "x", upstream: UPSTREAM, ...change } as ProxyDefinition;
    const error = { code: "OPTION_INVALID", message };
    assert.throws(() => planOf(definition, RULES, "test", "proxies[0]."), error, JSON.stringify(change).slice(0, 200));
  }
});

test("what makes sense is taken", () => {
  const more: ProxyDefinition["faults"] = [
    { ...SLOW, when: { connections: "1-1", bytes: 0, afterMs: 2 ** 31 - 1 } },
    { ...SLOW, latency: { kind: "normal", meanMs: 5, deviationMs: 50 }, when: { connections: "2-" } },
  ];
  const { faults } = planOf({ name: "x", upstream: UPSTREAM, faults: more }, RULES, "test");
  assert.deepEqual(faults, more);
  assert.notEqual(faults[0], more[0]);
  assert.notEqual(faults[0]?.when, more[0]?.when);
});

test("proxies that pass on to each other are refused, of connections and of datagrams", async () => {
  for (const kind of ["tcp", "udp"]) {
    const [one, two] = [`${kind}://127.0.0.1:9`, `${kind}://127.0.0.1:10`];
    const pair = [
      { name: "a", listen: one, upstream: two, enabled: false },
      { name: "b", listen: two, upstream: one, enabled: false },
    ];
    const { detail } = await expectError(startProxy({ proxies: pair }), { code: "OPTION_INVALID" });
    assert.match(detail, /upstream .* leads back to .*, by way of the proxy "b"/);
    await using running = await startProxy({ proxies: pair.slice(0, 1) });
    await expectError(running.add(pair[1] as ProxyDefinition), { code: "OPTION_INVALID" });
    // The port that the system chose counts, too.
    const b = await running.add({ name: "b", upstream: `${kind}://127.0.0.1:11` });
    const a = running.proxies.get("a");
    await a?.change({ upstream: b.listen });
    await expectError(b.change({ upstream: one }), { code: "OPTION_INVALID" });
    await expectError(b.change({ upstream: b.listen }), { code: "OPTION_INVALID" });
    assert.equal(String(b.upstream), `${kind}://127.0.0.1:11`);
    assert.equal(b.enabled, true);
  }
});

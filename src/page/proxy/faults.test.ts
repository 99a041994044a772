import assert from "node:assert/strict";
import { test } from "node:test";
import { Address } from "../../core/address/address.ts";
import { checkProxyFault, type ProxyFault } from "../../proxy/fault.ts";
import type { FaultFields } from "../../proxy/page/wire.ts";
import { faultFrom, faultText, firstValues, KINDS, kindsFor, valuesOf } from "./faults.ts";
import type { Kind } from "./kind-name.ts";

const TCP = Address.fromIp("tcp", "127.0.0.1", 1);
const UDP = Address.fromIp("udp", "127.0.0.1", 1);

test("what stands in each form first is a fault that the proxy takes, in each direction", () => {
  for (const [datagrams, upstream] of [
    [false, TCP],
    [true, UDP],
  ] as const) {
    for (const kind of kindsFor(datagrams)) {
      for (const way of kind === "partition-one-way" ? ["toServer", "toClient"] : ["both", "toServer", "toClient"]) {
        checkProxyFault(faultFrom(kind, { ...firstValues(kind), way }) as ProxyFault, upstream, "test");
      }
    }
  }
});

test("the page has each kind of fault that a proxy has", () => {
  const refused = ["pause", "freeze", "crash", "skew"];
  for (const kind of refused) assert.ok(!Object.hasOwn(KINDS, kind));
  assert.equal(Object.keys(KINDS).length, 15);
});

test("a fault goes into the form and comes out as it was", () => {
  const faults: readonly FaultFields[] = [
    ...(Object.keys(KINDS) as Kind[]).map((kind) => faultFrom(kind, firstValues(kind))),
    { kind: "latency", from: "client", to: "server", latency: { kind: "uniform", fromMs: 10, toMs: 50 } },
    { kind: "bandwidth", from: "*", to: "*", bitsPerSecond: 12_345 },
    { kind: "corruption", from: "*", to: "*", chance: 0.5, middlebox: true },
    {
      kind: "reset",
      from: "*",
      to: "*",
      when: { connections: "1-2", bytes: 100, afterMs: 5, match: "QUIT", chance: 1 },
    },
    { kind: "isolate", host: "server" },
    { kind: "linger", from: "*", to: "*", delayMs: 1.234 },
  ];
  for (const fault of faults) {
    const values = valuesOf(fault);
    assert.ok(values !== undefined, JSON.stringify(fault));
    assert.deepEqual(faultFrom(fault.kind as Kind, values), fault);
  }
});

test("what no form can say is no form", () => {
  const ways = { from: "*", to: "*" };
  for (const fault of [
    { kind: "latency", ...ways, latency: { kind: "exponential", meanMs: 5 } },
    { kind: "isolate", host: "client" },
    { kind: "lag", ...ways },
  ]) {
    assert.equal(valuesOf(fault), undefined, JSON.stringify(fault));
  }
});

test("what makes no sense goes along, so that the server says what is wrong", () => {
  const fault = faultFrom("loss", { way: "both", chance: "much" });
  assert.equal(fault["chance"], "much");
  assert.throws(() => checkProxyFault(fault as never, TCP, "test"), /chance/);
});

test("a fault reads as people say it", () => {
  const text = (fault: FaultFields): string => faultText(fault, "en");
  assert.equal(text(faultFrom("latency", { latency: "100", jitter: "20", way: "both" })), "latency 80–120 ms");
  assert.equal(text(faultFrom("loss", { chance: "0.05", way: "toServer" })), "loss 5 % →");
  assert.equal(text(faultFrom("loss", { chance: "0.00005", way: "both" })), "loss 0.005 %");
  assert.equal(text(faultFrom("latency", { latency: "0.001", jitter: "0", way: "both" })), "latency 0.001 ms");
  assert.equal(text(faultFrom("bandwidth", { rate: "64", way: "toClient" })), "bandwidth 64 kB/s ←");
  assert.equal(text(faultFrom("partition", {})), "partition");
  assert.equal(text(faultFrom("isolate", {})), "isolate");
  assert.equal(faultText(faultFrom("loss", { chance: "0,005", way: "toServer" }), "es"), "pérdida 0,5 % →");
  assert.equal(text({ kind: "reset", from: "*", to: "*", when: { chance: 1 } }), "reset …");
});

test("what is no number goes along as it is, so that the server says what is wrong", () => {
  const way = { from: "*", to: "*" };
  const latency = (values: Readonly<Record<string, string>>): FaultFields =>
    faultFrom("latency", { way: "both", ...values });
  assert.deepEqual(latency({ latency: "x", jitter: "0" }), { kind: "latency", ...way, latency: "x" });
  assert.deepEqual(latency({ latency: "5", jitter: "x" }), { kind: "latency", ...way, latency: 5, jitter: "x" });
  assert.deepEqual(latency({ latency: "", jitter: "5" }), { kind: "latency", ...way, jitter: 5 });
});

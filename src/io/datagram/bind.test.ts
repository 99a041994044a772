import assert from "node:assert/strict";
import { test } from "node:test";
import type { Address } from "../../core/address/address.ts";
import { nodeNetwork } from "../../index.ts";
import { expectError } from "../../testing/expect-error.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { ManualDatagrams, manualNetwork } from "../../../test/fixtures/manual-datagrams.ts";
import { bindOver } from "./bind.ts";
import type { BindOptions } from "./settings.ts";
import type { Network, Sockets } from "../network/network.ts";
import type { TransportBindOptions } from "../network/datagrams.ts";

const clock = new ManualClock({ defer: (callback) => void setImmediate(callback) });

interface Asked {
  local?: Address;
  options?: TransportBindOptions;
}

/** A network that notes what it is asked to bind. */
function noting(asked: Asked, transport: ManualDatagrams, resolve?: Sockets["resolve"]): Network {
  const network = manualNetwork(clock, [transport], resolve);
  const bind: Sockets["bind"] = (local, options) => {
    Object.assign(asked, { local, options });
    return network.sockets.bind(local, options);
  };
  return { ...network, sockets: { ...network.sockets, bind } };
}

async function bound(
  local: string,
  options: BindOptions = {},
  resolve?: Sockets["resolve"],
): Promise<[Asked, ManualDatagrams]> {
  const asked: Asked = {};
  const transport = new ManualDatagrams({ local: local.includes("[") ? "udp://[::]:1" : "udp://0.0.0.0:1" });
  await bindOver(noting(asked, transport, resolve), local, options);
  return [asked, transport];
}

test("a plain datagram socket is bound with the system's defaults", async () => {
  const [{ local, options }, transport] = await bound("127.0.0.1:7000");
  assert.equal(String(local), "udp://127.0.0.1:7000");
  assert.deepEqual(options, {
    remote: undefined,
    reuseAddress: false,
    reusePort: false,
    ipv6Only: false,
    receiveBufferBytes: undefined,
    wantedReceiveBufferBytes: undefined,
    sendBufferBytes: undefined,
    signal: undefined,
  });
  assert.deepEqual(transport.calls, []);
});

test("a group is bound, shared and joined, and is also the way out", async () => {
  const [asked, transport] = await bound("udp://239.1.2.3:5000?interface=lo&source=192.0.2.1");
  assert.equal(asked.local?.host, "239.1.2.3");
  assert.equal(asked.options?.reuseAddress, true);
  const membership = { group: "239.1.2.3", interface: "lo", source: "192.0.2.1" };
  assert.deepEqual(transport.calls, ["setMulticastInterface lo", `join ${JSON.stringify(membership)}`]);
  const [, zoned] = await bound("udp://[ff02::1%25eth7]:5000", { udp: { reuseAddress: false } });
  const joined = { group: "ff02::1", interface: "eth7" };
  assert.deepEqual(zoned.calls, ["setMulticastInterface eth7", `join ${JSON.stringify(joined)}`]);
});

test("a group as the peer sets the way out and joins nothing", async () => {
  const [asked, transport] = await bound("udp://0.0.0.0:0", { remote: "udp://239.1.2.3:5000?interface=lo" });
  assert.equal(asked.options?.remote?.host, "239.1.2.3");
  assert.deepEqual(transport.calls, ["setMulticastInterface lo"]);
  const source = bound("udp://0.0.0.0:0", { remote: "udp://239.1.2.3:5000?source=192.0.2.1" });
  await expectError(source, { code: "ADDRESS_INVALID", op: "bind" });
});

test("names become addresses that fit each other", async () => {
  const both: Sockets["resolve"] = (_name, family) => Promise.resolve([family === 4 ? "127.0.0.1" : "::1"]);
  const [four] = await bound("plaza:0", { remote: "plaza:9" }, both);
  assert.deepEqual([four.local?.host, four.options?.remote?.host], ["127.0.0.1", "127.0.0.1"]);
  const [six] = await bound("plaza:0", { remote: "udp://[::1]:9" }, both);
  assert.deepEqual([six.local?.host, six.options?.remote?.host], ["::1", "::1"]);
  const [dual] = await bound("udp://[::]:0", { remote: "plaza:9" }, both);
  assert.equal(dual.options?.remote?.host, "::1");
  const [only] = await bound("udp://[::]:0", { udp: { ipv6Only: true }, remote: "plaza:9" }, both);
  assert.equal(only.options?.remote?.host, "::1");
  assert.equal(only.options?.ipv6Only, true);
});

test("what does not fit together is refused", async () => {
  const wrong: readonly [string, BindOptions, "ADDRESS_INVALID" | "OPTION_INVALID"][] = [
    ["udp://127.0.0.1:0", { remote: "udp://[::1]:9" }, "ADDRESS_INVALID"],
    ["udp://[::1]:0", { remote: "udp://127.0.0.1:9" }, "ADDRESS_INVALID"],
    ["udp://[::]:0", { udp: { ipv6Only: true }, remote: "udp://127.0.0.1:9" }, "ADDRESS_INVALID"],
    ["udp://127.0.0.1:0", { udp: { ipv6Only: true } }, "OPTION_INVALID"],
    ["udp://127.0.0.1:0", { remote: "udp://127.0.0.1:0" }, "ADDRESS_INVALID"],
  ];
  for (const [local, options, code] of wrong)
    await expectError(bound(local, options), { code, op: "bind", side: "local" });
});

test("a transport that cannot pause refuses the policy block, and is closed", async () => {
  const transport = new ManualDatagrams({ canPause: false });
  const opening = bindOver(manualNetwork(clock, [transport]), "udp://127.0.0.1:0", { overflow: "block" });
  await expectError(opening, { code: "UNSUPPORTED", op: "bind", side: "local" });
  assert.equal(transport.closed, true);
});

test("a datagram socket that opens too late is closed again", async () => {
  const transport = new ManualDatagrams();
  let open = (): void => undefined;
  const network = manualNetwork(clock, []);
  const bind: Sockets["bind"] = () =>
    new Promise((resolve) => {
      open = () => resolve(transport);
    });
  const opening = bindOver({ ...network, sockets: { ...network.sockets, bind } }, "127.0.0.1:0", { timeoutMs: 100 });
  const late = expectError(opening, { code: "TIMEOUT", op: "bind" });
  await clock.turn();
  await clock.advance(100);
  await late;
  assert.equal(transport.closed, false);
  open();
  await clock.turn();
  assert.equal(transport.closed, true);
  assert.equal(clock.pending, 0);
});

test("a datagram socket whose port would be its peer's gets another one", async () => {
  const gone = await bindOver(nodeNetwork, "udp://127.0.0.1:0");
  await gone.close();
  const peer = gone.localAddress;
  let calls = 0;
  const bind: Sockets["bind"] = (local, options) => {
    calls += 1;
    // What the system does by chance.
    return nodeNetwork.sockets.bind(calls === 1 ? peer : local, options);
  };
  const network = { ...nodeNetwork, sockets: { ...nodeNetwork.sockets, bind } };
  await using box = await bindOver(network, "udp://127.0.0.1:0", { remote: peer });
  assert.equal(calls, 2);
  assert.notEqual(box.localAddress.port, peer.port);
  await using back = await bindOver(nodeNetwork, peer);
  await box.send("hola");
  assert.equal(String((await back.receive()).data), "hola");
});

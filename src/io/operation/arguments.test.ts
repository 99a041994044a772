import assert from "node:assert/strict";
import { test } from "node:test";
import { Address } from "../../core/address/address.ts";
import { bind, connect, listen, type Network, nodeNetwork } from "../../index.ts";
import { check } from "../../sim.ts";
import { ZocaloError } from "../../core/errors.ts";
import { manualNetwork } from "../../../test/fixtures/manual-datagrams.ts";
import { expectError, reasonOf } from "../../testing/expect-error.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { firstAddress, meetsItself, missingZone, textBytes } from "./arguments.ts";

test("only a link-local address of IPv6 that has no zone lacks one", () => {
  const lacks = (host: string): boolean => missingZone(Address.parse(`udp://${host}:1`)) !== undefined;
  const these = [
    "[fe80::1]",
    "[febf:1::2]",
    "[fe80::1%25eth0]",
    "[fe80::1%253]",
    "[ff02::1]",
    "[::1]",
    "[fec0::1]",
    "[fe00::1]",
  ];
  assert.deepEqual(these.filter(lacks), ["[fe80::1]", "[febf:1::2]"]);
  assert.deepEqual(["169.254.1.2", "[::ffff:169.254.1.2]", "fe80.example", "127.0.0.1"].filter(lacks), []);
});

test("every call says so, on the kernel's network and in a world", async () => {
  const program = async (network: Network): Promise<void> => {
    const refused = {
      code: "ADDRESS_INVALID",
      side: "local",
      detail: /^a link-local address needs its interface, as in fe80::1%eth0/,
    };
    const options = { network };
    await assert.rejects(connect("tcp://[fe80::1]:9", options), { ...refused, op: "connect" });
    await assert.rejects(connect("tcp://[::1]:9", { network, localAddress: "[fe80::1]" }), {
      ...refused,
      op: "connect",
    });
    await assert.rejects(listen("tcp://[fe80::1]:0", options), { ...refused, op: "listen" });
    await assert.rejects(bind("udp://[fe80::1]:0", options), { ...refused, op: "bind" });
    await assert.rejects(bind("udp://[::]:0", { network, remote: "udp://[fe80::1]:9" }), { ...refused, op: "bind" });
    await using box = await bind("udp://[::]:0", options);
    await assert.rejects(box.send("x", "udp://[fe80::1]:9"), { ...refused, op: "send" });
    await assert.rejects(box.sendMany([{ data: "x", to: "udp://[fe80::1]:9" }]), { ...refused, op: "sendMany" });
  };
  await program(nodeNetwork);
  await check({}, async (world) => await program(world.host("a").network));
});

test("an interface that this machine does not have is told with those that it has", async () => {
  const unknown = {
    code: "ADDRESS_NOT_AVAILABLE",
    detail: /^no interface "nope0" has an address here; this machine has /,
  };
  await assert.rejects(connect("tcp://[fe80::1%25nope0]:9"), unknown);
  await assert.rejects(listen("tcp://[fe80::1%25nope0]:0"), unknown);
  await assert.rejects(bind("udp://[fe80::1%25nope0]:0"), unknown);
});

test("a text becomes its UTF-8, and half of a surrogate pair is an error of the call", () => {
  const context = (): { op: string; remote: string } => ({ op: "write", remote: "tcp://192.0.2.1:1" });
  for (const text of ["", "hola", "ñandú 🦙", "\ufffd"]) {
    assert.deepEqual(textBytes(text, "data", context), Buffer.from(text));
  }
  for (const text of ["\ud83d", "a\udc00b", "🦙".slice(1)]) {
    assert.throws(() => textBytes(text, "delimiter", context), {
      code: "OPTION_INVALID",
      op: "write",
      remote: "tcp://192.0.2.1:1",
      side: "local",
      outcome: "none",
      detail: /^delimiter has half of a surrogate pair/,
    });
  }
});

test("one address and port at both ends, in whatever form", () => {
  const rows: readonly (readonly [own: string, peer: string, same: boolean])[] = [
    ["tcp://127.0.0.1:7", "tcp://127.0.0.1:7", true],
    ["tcp://127.0.0.1:7", "tls://127.0.0.1:7", true],
    ["tcp://[::1]:7", "tcp://[::1]:7", true],
    ["tcp://[::ffff:127.0.0.1]:7", "tcp://127.0.0.1:7", true],
    ["tcp://127.0.0.1:7", "tcp://0.0.0.0:7", true],
    ["udp://[::1]:7", "udp://[::]:7", true],
    ["tcp://127.0.0.1:7", "tcp://127.0.0.1:8", false],
    ["tcp://127.0.0.2:7", "tcp://127.0.0.1:7", false],
    ["unix:x.sock", "unix:x.sock", false],
  ];
  for (const [own, peer, same] of rows) assert.equal(meetsItself(Address.parse(own), Address.parse(peer)), same, own);
});

test("firstAddress gives the first family's reason when none has an address", async () => {
  const clock = new ManualClock({ defer: setImmediate });
  const sockets = manualNetwork(clock, [], (name, family) =>
    family === 4
      ? Promise.resolve([])
      : Promise.reject(new ZocaloError("NAME_LOOKUP_FAILED", { op: "resolve", remote: name })),
  ).sockets;
  await expectError(firstAddress(sockets, "plaza", [6, 4]), { code: "NAME_LOOKUP_FAILED", remote: "plaza" });
  await expectError(firstAddress(sockets, "plaza", [4]), { code: "NAME_NOT_FOUND", remote: "plaza" });
  const strange = new Error("strange");
  const broken = manualNetwork(clock, [], () => Promise.reject(strange)).sockets;
  assert.equal(await reasonOf(firstAddress(broken, "plaza", [4])), strange);
});

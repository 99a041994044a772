import assert from "node:assert/strict";
import { test } from "node:test";
import { Address } from "../../core/address/address.ts";
import { bind, connect, listen, type Network, nodeNetwork } from "../../index.ts";
import { check } from "../../sim.ts";
import { missingZone } from "./link-local.ts";

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

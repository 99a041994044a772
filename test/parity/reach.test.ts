import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { check } from "../../src/sim.ts";
import { type Outcomes, OWN, reachMatrix } from "./reach-matrix.ts";

/*
 * Where may something stand, who is reached from where, and what do both sides see? The same matrix on the kernel, in a
 * network namespace of its own, and in a world: where they differ, the simulator is wrong.
 */

/** A machine with one link: the networks of worlds are on it, and nobody answers. The other end of the link has no address. */
const MACHINE = `set -e
ip link set lo up
ip link add eth0 type veth peer name other
echo 1 > /proc/sys/net/ipv6/conf/other/disable_ipv6
ip link set eth0 addrgenmode none
ip address add ${OWN[0]}/24 broadcast + dev eth0
ip address add ${OWN[1]}/32 dev eth0 nodad
ip link set eth0 up
ip link set other up
for network in 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 255.255.255.255/32; do ip route add $network dev eth0; done
until ip -6 route show table local | grep -q "ff00::/8 dev eth0"; do sleep 0.05; done
while ip -6 address show dev eth0 tentative | grep -q inet6; do sleep 0.05; done
`;
const NAMESPACE_MS = 120_000;

/** Runs something in a network namespace of its own, on a machine as above. */
function inNamespace(command: readonly string[]): ReturnType<typeof spawnSync> {
  const script = `${MACHINE}exec "$@"`;
  return spawnSync("unshare", ["--net", "sh", "-c", script, "sh", ...command], {
    encoding: "utf8",
    timeout: NAMESPACE_MS,
    maxBuffer: 16 * 1_048_576,
  });
}

/** Why there is no matrix of a kernel here; false when there is one. */
function whySkipped(): string | false {
  if (process.platform !== "linux") return "network namespaces are a thing of Linux";
  const tried = inNamespace(["true"]);
  return tried.status === 0 ? false : "no network namespace can be made here: it takes root, unshare and iproute2";
}

test("the matrix of addresses: a world answers as the kernel does", { skip: whySkipped() }, async () => {
  const { status, stdout, stderr } = inNamespace([process.execPath, join(import.meta.dirname, "kernel-matrix.js")]);
  assert.equal(status, 0, String(stderr));
  const kernel = JSON.parse(String(stdout)) as Outcomes;
  const { value: simulated } = await check({ seed: 1 }, async (world) => {
    const { network } = world.host("machine", undefined, { addresses: OWN });
    return await reachMatrix(network);
  });
  const differing = Object.keys(kernel).filter((name) => kernel[name] !== simulated[name]);
  assert.deepEqual(
    differing.map((name) => `${name}: the kernel says ${kernel[name]}, the world ${simulated[name]}`),
    [],
  );
  assert.deepEqual(Object.keys(simulated).sort(), Object.keys(kernel).sort());
  assert.ok(Object.keys(kernel).length > 2000);
});

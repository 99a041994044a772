/**
 * What a network of its own can show: routes that forbid, ports that run out, a peer that vanishes. Run by
 * namespaces.test.ts inside a namespace of Linux that has nothing but what is made here. Prints one JSON line for each call.
 */

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import net from "node:net";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import { bind, connect, listen, type StreamSocket, ZocaloError } from "../../../src/index.ts";

/** One call that failed. */
export interface Told {
  readonly name: string;
  readonly type: string;
  readonly code: string;
  readonly side: string;
  readonly outcome?: string;
  readonly detail: string;
  readonly how?: string;
}

function sh(...lines: readonly string[]): void {
  execFileSync("sh", ["-ec", lines.join("\n")], { stdio: ["ignore", "ignore", "inherit"] });
}

/** Does the call, and prints what became of it. */
async function tell(name: string, call: Promise<unknown>, more: object = {}): Promise<void> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  const told =
    error instanceof ZocaloError
      ? { type: error.name, code: error.code, side: error.side, outcome: error.outcome, detail: error.detail }
      : { type: "none", code: error === undefined ? "ok" : inspect(error), side: "", detail: "" };
  process.stdout.write(`${JSON.stringify({ name, ...told, ...more })}\n`);
}

/** Routes that forbid, everybody's address, and calls that cannot leave the own machine. */
async function routes(): Promise<void> {
  sh(
    "ip link set lo up; ip link add v0 type veth peer name v1; ip link set v1 up",
    "ip addr add 192.0.2.1/24 dev v0; ip -6 addr add 2001:db8::1/64 dev v0 nodad; ip link set v0 up; ip route add default via 192.0.2.254",
    "ip route add prohibit 198.51.100.0/25; ip route add unreachable 198.51.100.128/26",
    "ip route add blackhole 198.51.100.192/26; ip -6 route add prohibit 2001:db8:1::/48",
  );
  const hosts = { prohibited: "198.51.100.1", unreachable: "198.51.100.129", blackhole: "198.51.100.193" };
  await using box = await bind("udp://0.0.0.0:0");
  for (const [name, host] of Object.entries(hosts)) {
    await tell(`connect ${name}`, connect(`tcp://${host}:9`));
    await tell(`send ${name}`, box.send("x", `udp://${host}:9`));
  }
  await tell("connect prohibited over IPv6", connect("tcp://[2001:db8:1::1]:9"));
  await using six = await bind("udp://[::]:0");
  await tell("send prohibited over IPv6", six.send("x", "udp://[2001:db8:1::1]:9"));
  await tell("connect to a group", connect("tcp://239.1.2.3:9"));
  await tell("send to everybody", box.send("x", "udp://192.0.2.255:9"));
  await tell("peer everybody", bind("udp://0.0.0.0:0", { remote: "udp://192.0.2.255:9" }));
  await using home = await bind("udp://127.0.0.1:0");
  await tell("send from loopback", home.send("x", "udp://203.0.113.1:9"));
  await tell("peer from loopback", bind("udp://127.0.0.1:0", { remote: "udp://203.0.113.1:9" }));
  await tell("connect from loopback", connect("tcp://203.0.113.1:9", { localAddress: "127.0.0.1" }));
}

/** Ten ports, and more calls than that. */
async function ports(): Promise<void> {
  sh("ip link set lo up");
  writeFileSync("/proc/sys/net/ipv4/ip_local_port_range", "40000 40009");
  const server = net.createServer().listen(39_999, "::");
  await once(server, "listening");
  const calls: StreamSocket[] = [];
  for (const host of ["127.0.0.1", "[::1]"]) {
    for (let count = 0; count < 10; count += 1) calls.push(await connect(`tcp://${host}:39999`));
    await tell(`connect to ${host}`, connect(`tcp://${host}:39999`));
  }
  await tell("connect from 127.0.0.1", connect("tcp://127.0.0.1:39999", { localAddress: "127.0.0.1" }));
  await tell("listen", listen("tcp://127.0.0.1:0"));
  for (let count = 0; count < 10; count += 1) await bind("udp://127.0.0.1:0");
  await tell("bind", bind("udp://127.0.0.1:0"));
  writeFileSync("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1");
  await tell("connect without IPv6", connect("tcp://[::1]:39999"));
}

/** A connection whose peer vanishes from its network: nobody answers for its address any more. */
async function vanished(): Promise<void> {
  const other = spawn("unshare", ["-n", process.execPath, fileURLToPath(import.meta.url), "peer"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  // Whatever happens here: it would hold the output of the test open.
  process.once("exit", () => other.kill());
  await said(other);
  sh(
    `ip link set lo up; ip link add v0 type veth peer name v1; ip link set v1 netns ${other.pid}`,
    "ip addr add 192.0.2.1/24 dev v0; ip link set v0 up",
  );
  other.stdin?.write("open\n");
  await said(other);
  const call = await connect("tcp://192.0.2.2:7000");
  other.stdin?.write("vanish\n");
  await said(other);
  // Only now: the link may lose the first question for the peer, which would be the only one.
  sh(
    "echo 2 > /proc/sys/net/ipv4/tcp_retries2; cd /proc/sys/net/ipv4/neigh/v0",
    "echo 1 > mcast_solicit; echo 0 > ucast_solicit; echo 100 > retrans_time_ms; ip neigh flush dev v0",
  );
  const reading = call.read();
  const readingLater = reading.catch(() => call.read());
  await call.write("x");
  const { how } = await call.closed;
  await tell("read that waits", reading, { how });
  await tell("read", readingLater);
  await tell("write", call.write("y"));
}

async function said(child: ChildProcess): Promise<void> {
  await once(child.stdout as NodeJS.ReadableStream, "data");
}

/** The other side of `vanished`, in a namespace of its own. */
async function peer(): Promise<void> {
  process.stdout.write("here\n");
  await once(process.stdin, "data");
  sh("ip link set lo up; ip addr add 192.0.2.2/24 dev v1; ip link set v1 up");
  await listen("tcp://192.0.2.2:7000");
  process.stdout.write("open\n");
  await once(process.stdin, "data");
  sh("ip addr del 192.0.2.2/24 dev v1");
  process.stdout.write("vanished\n");
}

const scenes: Readonly<Record<string, () => Promise<void>>> = { routes, ports, vanished, peer };
const scene = process.argv[2] ?? "";
await scenes[scene]?.();
if (scene !== "peer") process.exit(0);

/**
 * Link-local addresses in every call that takes an address. Run by link-local.test.ts inside a namespace of Linux whose two
 * interfaces are the ends of one wire. Prints what became of each call as one line of JSON.
 */

import { execFileSync } from "node:child_process";
import { networkInterfaces } from "node:os";
import { setImmediate } from "node:timers/promises";
import { inspect } from "node:util";
import { bind, connect, type DatagramSocket, listen, serve, ZocaloError } from "../../src/index.ts";

execFileSync("sh", [
  "-ec",
  `ip link set lo up; ip link add v0 type veth peer name v1
   for each in v0 v1; do ip link set $each addrgenmode none; done
   ip -6 addr add fe80::1/64 dev v0 nodad; ip -6 addr add fe80::2/64 dev v1 nodad
   ip link set v0 up; ip link set v1 up`,
]);

function numberOf(name: string): number {
  return networkInterfaces()[name]?.find((entry) => entry.family === "IPv6")?.scopeid ?? 0;
}
// Node lists an interface once the kernel says that it is running, which is a moment after it was set up.
while (numberOf("v0") === 0 || numberOf("v1") === 0) await setImmediate();
const [near, far] = [numberOf("v0"), numberOf("v1")];

/** Does the call, and prints what became of it. */
async function tell(name: string, call: () => unknown): Promise<void> {
  const told = await Promise.resolve()
    .then(call)
    .then(
      (value) => ({ code: "ok", detail: String(value) }),
      (error: unknown) =>
        error instanceof ZocaloError
          ? { code: error.code, side: error.side, detail: error.detail }
          : { code: inspect(error), detail: "" },
    );
  process.stdout.write(`${JSON.stringify({ name, ...told })}\n`);
}

/** With which zones each call is made. */
const ways = { name: "%25v0", number: `%25${near}`, none: "", unknown: "%25v9", "unknown number": "%25999" };
const ends = { name: "%25v1", number: `%25${far}`, none: "", unknown: "%25v9" };

const server = await serve("tcp://[fe80::2%25v1]:0", async (peer) => await peer.write(peer.remoteAddress.hostPort));
const { port } = server.localAddress;

/** The own address, as it is and as the server sees it. */
async function called(zone: string, localAddress?: string): Promise<string> {
  const call = await connect(`tcp://[fe80::2${zone}]:${port}`, { localAddress });
  const seen = String(await call.read()).replace(/:\d+$/, "");
  call.abort();
  return `${call.localAddress.hostPort.replace(/:\d+$/, "")} ${seen}`;
}

for (const [name, zone] of Object.entries(ways)) {
  await tell(`connect ${name}`, () => called(zone));
  await tell(`connect from ${name}`, () => called("%25v0", `[fe80::1${zone}]:0`));
}
await tell("connect none, from name", () => called("", "[fe80::1%25v0]:0"));
await tell("connect none, from number", () => called("", `[fe80::1%25${near}]:0`));

async function opened(
  opening: Promise<{ readonly localAddress: unknown; close(): Promise<unknown> }>,
): Promise<string> {
  const listener = await opening;
  await listener.close();
  return String(listener.localAddress).replace(/:\d+$/, "");
}
for (const [name, zone] of Object.entries(ends)) {
  await tell(`listen ${name}`, () => opened(listen(`tcp://[fe80::2${zone}]:0`)));
  await tell(`bind ${name}`, () => opened(bind(`udp://[fe80::2${zone}]:0`)));
}

const box = await bind("udp://[fe80::2%25v1]:0");
const target = (zone: string): string => `udp://[fe80::2${zone}]:${box.localAddress.port}`;
async function arrives(from: DatagramSocket, to: string | undefined, at = box): Promise<string> {
  await from.send("hola", to);
  return (await at.receive({ timeoutMs: 30_000 })).from.hostPort.replace(/:\d+$/, "");
}
const datagramSocket = await bind("udp://[::]:0");
const own = await bind("udp://[fe80::1%25v0]:0");
for (const [name, zone] of Object.entries(ways)) {
  await tell(`send ${name}`, () => arrives(datagramSocket, target(zone)));
  await tell(`peer ${name}`, async () => {
    await using peer = await bind("udp://[::]:0", { remote: target(zone) });
    return await arrives(peer, undefined);
  });
}
await tell("send none, from name", () => arrives(own, target("")));
await tell("peer none, from name", async () => {
  await using peer = await bind("udp://[fe80::1%25v0]:0", { remote: target("") });
  return await arrives(peer, undefined);
});

const group = await bind(`udp://[ff02::1234%25${far}]:0`);
for (const [name, zone] of Object.entries(ways)) {
  const to = `udp://[ff02::1234${zone}]:${group.localAddress.port}`;
  await tell(`group ${name}`, () => arrives(datagramSocket, to, group));
  await tell(`join ${name}`, () => {
    datagramSocket.udp.joinGroup(`udp://[ff02::99${zone}]:0`);
    datagramSocket.udp.leaveGroup(`udp://[ff02::99${zone}]:0`);
  });
}
process.exit(0);

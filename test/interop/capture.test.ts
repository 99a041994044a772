/** Captures of simulated packets, read by tshark. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { bind, connect, listen } from "../../src/index.ts";
import { check, type World } from "../../src/sim.ts";

const PROGRAM: string = "tshark";
const missing = spawnSync(PROGRAM, ["--version"]).status !== 0;
const skip = missing ? "tshark is not installed" : false;

/** What tshark reads in the capture of a world: the wanted fields of each packet, separated by spaces. */
async function read(
  main: (world: World) => Promise<void>,
  filter: string,
  fields: readonly string[],
): Promise<string[]> {
  const pieces: Uint8Array[] = [];
  await check({ seed: 1, cutReads: false, capture: (bytes) => void pieces.push(bytes) }, main);
  const folder = mkdtempSync(join(tmpdir(), "zocalo-capture-"));
  try {
    const file = join(folder, "world.pcapng");
    writeFileSync(file, Buffer.concat(pieces));
    const names = fields.flatMap((field) => ["-e", field]);
    const checks = ["tcp.check_checksum", "udp.check_checksum", "ip.check_checksum"].flatMap((one) => [
      "-o",
      `${one}:TRUE`,
    ]);
    const args = ["-n", "-r", file, ...checks, "-Y", filter, "-T", "fields", "-E", "separator= ", ...names];
    const { stdout, stderr, status } = spawnSync(PROGRAM, args, { encoding: "utf8" });
    assert.equal(status, 0, stderr);
    return stdout.trimEnd().split("\n");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** An exchange over both families, with a loss, a half-close and a reset. */
async function talk(world: World): Promise<void> {
  const [a, b] = [world.host("a"), world.host("b")];
  for (const target of ["192.0.2.2", "[2001:db8::2]"]) {
    const listener = await listen("tcp://[::]:7000", { network: b.network });
    const [call, peer] = await Promise.all([
      connect(`tcp://${target}:7000`, { network: a.network }),
      listener.accept(),
    ]);
    {
      using cut = world.partition(a, b);
      await call.write("odd number of bytes");
      await world.sleep(50);
      cut.heal();
    }
    assert.equal(String(await peer.readExactly(19)), "odd number of bytes");
    await peer.write(Buffer.alloc(5000, 1));
    await call.readExactly(5000);
    await call.end();
    assert.equal(await peer.read(), null);
    peer.abort();
    await listener.close();
  }
}

test("tshark sees the connections: ports, flags, relative numbers, options and good checksums", { skip }, async () => {
  const seen = await read(talk, "ip", [
    "ip.src",
    "tcp.srcport",
    "ip.dst",
    "tcp.dstport",
    "tcp.flags.str",
    "tcp.seq",
    "tcp.len",
  ]);
  const port = /^192\.0\.2\.1 (\d+)/.exec(seen[0] ?? "")?.[1];
  const [out, back] = [`192.0.2.1 ${port} 192.0.2.2 7000`, `192.0.2.2 7000 192.0.2.1 ${port}`];
  const flags = (line: string): string => line.replaceAll("·", "");
  assert.deepEqual(seen.slice(0, 5).map(flags), [
    `${out} S 0 0`,
    `${back} AS 0 0`,
    `${out} A 1 0`,
    // The first is lost in the partition; the second is its repetition.
    `${out} AP 1 19`,
    `${out} AP 1 19`,
  ]);
  assert.ok(seen.map(flags).some((line) => line === `${out} AF 20 0`));
  assert.match(flags(seen.at(-1) ?? ""), /AR/);
  const sums = await read(talk, "tcp", [
    "tcp.checksum.status",
    "ip.checksum.status",
    "tcp.options.mss_val",
    "tcp.flags.syn",
  ]);
  // Good is 1; IPv6 has no checksum of its own.
  for (const line of sums) assert.match(line, /^1 1? ?(?: |1460 |1440 )?(?:1|0|True|False)$/, line);
  assert.ok(sums.some((line) => line.includes("1460")) && sums.some((line) => line.includes("1440")));
});

test("tshark says what was lost and which host sent it, and finds nothing malformed", { skip }, async () => {
  const lost = await read(talk, "frame.comment", ["frame.interface_name", "frame.comment"]);
  assert.deepEqual(new Set(lost), new Set(["a lost: partition"]));
  assert.deepEqual(await read(talk, "_ws.malformed", ["frame.number"]), [""]);
});

test("tshark sees datagrams of both families, and what ICMP says about them", { skip }, async () => {
  const datagrams = async (world: World): Promise<void> => {
    const [a, b] = [world.host("a"), world.host("b")];
    for (const target of ["192.0.2.2", "[2001:db8::2]"]) {
      const open = await bind(`udp://${target}:5000`, { network: b.network });
      const box = await bind(target.startsWith("[") ? "udp://[::]:0" : "udp://0.0.0.0:0", { network: a.network });
      await box.send("hola", `udp://${target}:5000`);
      await open.receive();
      await box.send("", `udp://${target}:5001`);
      await world.sleep(10);
    }
  };
  const fields = ["udp.dstport", "udp.length", "udp.checksum.status", "icmp.code", "icmpv6.code"];
  const seen = (await read(datagrams, "udp", fields)).map((line) => line.trim().replaceAll(/ +/g, " "));
  const once = ["5000 12 1", "5001 8 1"];
  // The answer has the beginning of the datagram in it; its own checksum is not there any more.
  assert.deepEqual(
    seen.filter((line) => /^\d+ \d+ 1$/.test(line)),
    [...once, ...once],
  );
  const answers = await read(datagrams, "icmp or icmpv6", ["icmp.type", "icmp.code", "icmpv6.type", "icmpv6.code"]);
  assert.deepEqual(
    answers.map((line) => line.trim()),
    ["3 3", "1 4"],
  );
  const sums = await read(datagrams, "icmp or icmpv6", ["icmp.checksum.status", "icmpv6.checksum.status"]);
  assert.deepEqual(
    sums.map((line) => line.trim()),
    ["1", "1"],
  );
});

/** Captures of the fault proxy, read by tshark. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { bind, connect, serve, serveDatagrams, type StreamSocket } from "../../src/index.ts";
import { type FaultProxies, type ProxyFault, startProxy } from "../../src/proxy.ts";
import { hasIpv6 } from "../cli/program.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

const PROGRAM: string = "tshark";
const missing = spawnSync(PROGRAM, ["--version"]).status !== 0;
const skip = missing ? "tshark is not installed" : false;
const TO_SERVER = { from: "client", to: "server" } as const;

/** What tshark reads in a capture: the wanted fields of each packet that the filter lets through, separated by bars. */
function read(t: TestContext, capture: Uint8Array, filter: string, fields: readonly string[]): readonly string[] {
  const file = join(temporaryFolder(t), "proxy.pcapng");
  writeFileSync(file, capture);
  const checks = ["tcp.check_checksum", "udp.check_checksum", "ip.check_checksum"].flatMap((one) => [
    "-o",
    `${one}:TRUE`,
  ]);
  const names = fields.flatMap((field) => ["-e", field]);
  const args = ["-n", "-r", file, ...checks, "-Y", filter, "-T", "fields", "-E", "separator=|", ...names];
  const { stdout, stderr, status } = spawnSync(PROGRAM, args, { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return stdout.split("\n").filter((line) => line !== "");
}

/** Nothing is malformed, no checksum is wrong, and TCP has nothing to say. */
function assertSound(t: TestContext, capture: Uint8Array): void {
  const wrong =
    "_ws.malformed or tcp.analysis.flags or tcp.checksum.status==0 or udp.checksum.status==0 or ip.checksum.status==0";
  assert.deepEqual(read(t, capture, wrong, ["frame.number", "_ws.col.Info"]), []);
}

async function echo(peer: StreamSocket): Promise<void> {
  for await (const bytes of peer) await peer.write(bytes);
}

/** Captures what `main` does with running proxies. */
async function captured(running: FaultProxies, main: () => Promise<void>): Promise<Uint8Array> {
  const blocks: Uint8Array[] = [];
  const stop = running.capture((block) => blocks.push(block), { epochMs: Date.UTC(2026, 0, 1) });
  await main();
  stop();
  return Buffer.concat(blocks);
}

/** Waits until the proxies have seen the end of all connections. */
async function quiet(running: FaultProxies): Promise<void> {
  while ([...running.proxies.values()].some(({ connections }) => connections.length > 0)) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Says much through a proxy and hears it again. */
async function talk(running: FaultProxies, name: string, bytes: number): Promise<void> {
  const proxy = running.proxies.get(name);
  assert.ok(proxy !== undefined);
  await using call = await connect(proxy.listen);
  const said = Buffer.alloc(bytes, "0123456789");
  const sent = call.write(said).then(async () => await call.end());
  let heard = 0;
  for await (const piece of call) heard += piece.length;
  await sent;
  assert.equal(heard, bytes);
}

for (const [kind, address] of [
  ["IPv4", "127.0.0.1"],
  ["IPv6", "[::1]"],
] as const) {
  const without = kind === "IPv6" && !hasIpv6 ? "no IPv6 here" : skip;
  test(`tshark follows connections over ${kind}: every byte, nothing malformed, and the faults`, {
    skip: without,
  }, async (t) => {
    await using server = await serve(`tcp://${address}:0`, echo);
    const proxy = { name: "db", listen: `tcp://${address}:0`, upstream: server.localAddress };
    await using running = await startProxy({ seed: 3, proxies: [proxy] });
    const storm: readonly ProxyFault[] = [
      { kind: "latency", ...TO_SERVER, latency: 3, when: { connections: "2" } },
      { kind: "slicing", ...TO_SERVER, averageBytes: 5_000, when: { connections: "2" } },
      { kind: "loss", ...TO_SERVER, chance: 0.05, when: { connections: "2" } },
    ];
    for (const fault of storm) running.inflict(fault);
    const capture = await captured(running, async () => {
      await talk(running, "db", 300_000);
      await talk(running, "db", 60_000);
      await quiet(running);
    });
    assertSound(t, capture);
    for (const [stream, bytes] of [300_000, 60_000].entries()) {
      for (const way of ["srcport", "dstport"]) {
        const lengths = read(t, capture, `tcp.stream==${stream} and tcp.${way}==${server.localAddress.port}`, [
          "tcp.len",
        ]);
        assert.equal(
          lengths.reduce((sum, length) => sum + Number(length), 0),
          bytes,
        );
      }
    }
    const comments = read(t, capture, "frame.comment", ["tcp.stream", "frame.interface_name", "frame.comment"]);
    assert.ok(comments.length > 0);
    for (const line of comments) assert.match(line, /^1\|db\|(latency, slicing, loss: |passed on \d)/);
    assert.ok(comments.some((line) => /lost .*\(loss\) and sent again; passed on in \d+ pieces, /.test(line)));
    assert.equal(read(t, capture, "tcp.flags.fin==1", ["frame.number"]).length, 4);
    assert.match(read(t, capture, "tcp", ["frame.time_epoch"])[0] ?? "", /^17672256\d\d\./);
  });
}

test("tshark sees what a fault ends: cut bytes, a reset", { skip }, async (t) => {
  await using server = await serve("tcp://127.0.0.1:0", echo);
  await using running = await startProxy({ proxies: [{ name: "db", upstream: server.localAddress }] });
  running.inflict({ kind: "cut", ...TO_SERVER, bytes: 4, when: { connections: "1" } });
  running.inflict({ kind: "reset", from: "*", to: "*", when: { connections: "2" } });
  const capture = await captured(running, async () => {
    for (const _ of [1, 2]) {
      await using call = await connect(running.proxies.get("db")!.listen);
      await call.write("adiós");
      for (;;) if ((await call.read().catch(() => null)) === null) break;
    }
    await quiet(running);
  });
  assertSound(t, capture);
  const comments = read(t, capture, "tcp.flags.fin==0 and frame.comment", [
    "tcp.stream",
    "tcp.flags.str",
    "tcp.len",
    "frame.comment",
  ]);
  assert.deepEqual(
    comments.map((line) => line.replaceAll("·", "")),
    [
      "0|AP|6|cut: only 4 of 6 bytes are passed on; the connection closes behind them",
      "1|AP|6|lost: reset",
      "1|AR|0|reset: both are reset",
    ],
  );
  assert.deepEqual(read(t, capture, "tcp.flags.fin==1", ["tcp.stream"]), ["0", "0"]);
});

test("tshark sees datagrams of both families, lost ones and doubled ones", { skip }, async (t) => {
  for (const address of hasIpv6 ? ["127.0.0.1", "[::1]"] : ["127.0.0.1"]) {
    await using server = await serveDatagrams(`udp://${address}:0`, ({ data }) => data);
    const proxy = { name: "dns", listen: `udp://${address}:0`, upstream: server.localAddress };
    await using running = await startProxy({ seed: 3, proxies: [proxy] });
    const capture = await captured(running, async () => {
      await using call = await bind(`udp://${address}:0`, { remote: running.proxies.get("dns")!.listen });
      await call.send("hola");
      await call.receive();
      const lost = running.inflict({ kind: "partition", ...TO_SERVER });
      await call.send("lost");
      while (running.report().faults["partition"] !== 1) await new Promise((resolve) => setTimeout(resolve, 5));
      lost.heal();
      running.inflict({ kind: "duplication", ...TO_SERVER, chance: 1 });
      await call.send("twice");
      await call.receive();
      await call.receive();
    });
    assertSound(t, capture);
    const seen = read(t, capture, "udp", ["udp.length", "frame.comment"]);
    assert.match(seen[3] ?? "", /^13\|duplication: passed on twice/);
    assert.deepEqual(
      seen.filter((_, index) => index !== 3),
      ["12|", "12|", "12|lost: partition", "13|", "13|"],
    );
  }
});

test("Unix sockets and connections that were open before stand there, and the comment says so", { skip }, async (t) => {
  const folder = temporaryFolder(t);
  await using server = await serve(`unix:${join(folder, "server")}`, echo);
  const listen = `unix:${join(folder, "door")}`;
  await using running = await startProxy({ proxies: [{ name: "db", listen, upstream: server.localAddress }] });
  await using before = await connect(listen);
  await before.write("hola");
  await before.readExactly(4);
  const capture = await captured(running, async () => {
    await talk(running, "db", 100);
    await before.write("hola");
    await before.readExactly(4);
  });
  assertSound(t, capture);
  const comments = read(t, capture, "frame.comment", ["ip.src", "ip.dst", "frame.comment"]);
  const made = `the client of a Unix socket is 192.0.2.1 here; ${String(server.localAddress)} is 192.0.2.2 here`;
  assert.deepEqual(comments.slice(0, 2), [
    `192.0.2.1|192.0.2.2|open before the capture; ${made}`,
    `192.0.2.1|192.0.2.2|${made}`,
  ]);
  assert.equal(read(t, capture, "tcp.stream==0 and tcp.len==4", ["frame.number"]).length, 2);
});

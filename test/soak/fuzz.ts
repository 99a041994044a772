/**
 * Garbage against every kind of server: after each round a well-behaved client must still be served.
 *
 * `SOAK_ROUNDS` (1500) rounds per kind of server, `SOAK_SEED` (1).
 */

import { once } from "node:events";
import { createSocket } from "node:dgram";
import { rm } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bind, connect, type Peer, serve, serveDatagrams, type Server } from "zocalo";
import { lines } from "zocalo/framing";
import { testCertificates } from "../certificates.ts";
import { SeededRandom } from "../protocol/seeded-random.ts";
import { conclude, countOf, openHandles, watchForEscapes } from "./outcome.ts";

const rounds = countOf("SOAK_ROUNDS", 1500);
const seed = countOf("SOAK_SEED", 1);
const random = new SeededRandom(seed);
const problems: string[] = [];

/** Openings that lead a parser further in than noise does. */
const OPENINGS: readonly Buffer[] = [
  Buffer.alloc(0),
  Buffer.from("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"),
  Buffer.from("PROXY "),
  Buffer.from("0d0a0d0a000d0a515549540a2111000c", "hex"),
  Buffer.from("160301020001000", "hex"),
  Buffer.from("hola\n"),
];

function garbage(): Buffer {
  const noise = Buffer.alloc(random.below(random.oneIn(10) ? 100_000 : 300));
  for (let at = 0; at < noise.length; at += 1) noise[at] = random.below(256);
  return Buffer.concat([OPENINGS[random.below(OPENINGS.length)] as Buffer, noise]);
}

/** One rude connection: bytes in pieces, then an end, a reset or nothing more. */
async function attack(target: net.NetConnectOpts): Promise<void> {
  const socket = net.connect({ ...target, allowHalfOpen: random.oneIn(2) });
  socket.on("error", () => undefined);
  const closed = once(socket, "close").catch(() => undefined);
  if (random.oneIn(2)) socket.resume();
  const bytes = garbage();
  const cut = random.below(bytes.length + 1);
  socket.write(bytes.subarray(0, cut));
  await new Promise((resolve) => setImmediate(resolve));
  const way = random.below(3);
  if (way === 0) socket.end(bytes.subarray(cut));
  else socket.write(bytes.subarray(cut));
  await new Promise((resolve) => setImmediate(resolve));
  // A Unix socket has no reset.
  if (way === 1 && !("path" in target)) socket.resetAndDestroy();
  else socket.destroy();
  await closed;
}

async function shout(peer: Peer): Promise<void> {
  const text = peer.framed(lines());
  for await (const line of text) await text.send(line.toUpperCase());
}

async function echoUntil(peer: Peer): Promise<void> {
  for (;;) await peer.write((await peer.readUntil("\n", { maxBytes: 1000 })).toString().toUpperCase());
}

interface Kind {
  readonly name: string;
  readonly server: Server;
  readonly target: net.NetConnectOpts;
  readonly ca?: string;
  readonly greeting?: string;
}

/** A client that keeps the rules gets its answer. */
async function checkService(kind: Kind): Promise<void> {
  const tls = kind.ca === undefined ? {} : { tls: { ca: kind.ca, servername: "localhost" } };
  const client = await connect(kind.server.localAddress, { ...tls, timeoutMs: 20_000 });
  await client.write(`${kind.greeting ?? ""}hola\n`);
  const reply = await client.readUntil("\n", { timeoutMs: 20_000 });
  if (reply.toString() !== "HOLA\n") problems.push(`${kind.name}: the answer was ${JSON.stringify(reply.toString())}`);
  await client.close();
}

async function fuzzStreams(kind: Kind): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    await attack(kind.target);
    if (round % 100 === 0) await checkService(kind);
  }
  await checkService(kind);
  const { stats } = kind.server;
  await kind.server.drain({ timeoutMs: 10_000 });
  if (kind.server.stats.open !== 0) problems.push(`${kind.name}: ${kind.server.stats.open} still counted as open`);
  console.log(`fuzz: ${kind.name}: ${rounds} attacks, ${stats.accepted} accepted, ${stats.refused.handshake} refused`);
}

async function fuzzDatagrams(): Promise<void> {
  const server = await serveDatagrams("udp://127.0.0.1:0", ({ data }) => data.toString().toUpperCase());
  const rude = createSocket("udp4");
  rude.on("error", () => undefined);
  const port = server.localAddress.port;
  for (let round = 0; round < rounds; round += 1) {
    await new Promise((resolve) => rude.send(garbage().subarray(0, 60_000), port, "127.0.0.1", resolve));
    // Let the server read: else the kernel drops what a burst of one process has sent, and nothing is tested.
    await new Promise((resolve) => setImmediate(resolve));
  }
  rude.close();
  const box = await bind("udp://127.0.0.1:0", { remote: server.localAddress });
  // A datagram may be lost in the queue that the garbage has filled: ask again, as every client over UDP must.
  let reply = "";
  for (let tries = 0; tries < 50 && reply !== "HOLA"; tries += 1) {
    await box.send("hola");
    reply = await box.receive({ timeoutMs: 200 }).then(({ data }) => data.toString(), String);
  }
  if (reply !== "HOLA") problems.push(`udp: the answer was ${JSON.stringify(reply)}`);
  await box.close();
  console.log(`fuzz: udp: ${rounds} datagrams, ${server.stats.requestsHandled} handled`);
  await server.close();
}

watchForEscapes(problems);
const { authority, server: identity } = await testCertificates();
const path = join(tmpdir(), `zocalo-soak-${process.pid}.sock`);
const at = (server: Server): net.NetConnectOpts => ({ host: "127.0.0.1", port: server.localAddress.port });
const onError = (): void => undefined;

const framed = await serve("tcp://127.0.0.1:0", shout, { onError });
await fuzzStreams({ name: "tcp, lines", server: framed, target: at(framed) });
const raw = await serve("tcp://127.0.0.1:0", echoUntil, { onError });
await fuzzStreams({ name: "tcp, readUntil", server: raw, target: at(raw) });
const proxied = await serve("tcp://127.0.0.1:0", shout, { onError, proxyProtocol: { from: ["127.0.0.1"] } });
const greeting = "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n";
await fuzzStreams({ name: "tcp, PROXY", server: proxied, target: at(proxied), greeting });
const secure = await serve("tls://127.0.0.1:0", shout, { onError, tls: identity });
await fuzzStreams({ name: "tls", server: secure, target: at(secure), ca: authority.cert });
const local = await serve(`unix:${path}`, shout, { onError });
await fuzzStreams({ name: "unix", server: local, target: { path } });
await rm(path, { force: true });
await fuzzDatagrams();
await new Promise((resolve) => setImmediate(resolve));
const left = openHandles();
if (left.length > 0) problems.push(`still open: ${left.join(", ")}`);
conclude(`fuzz (SOAK_SEED=${seed})`, problems);

/** Random attacks on one server, repeatable by their seed. */

import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import net from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import tls from "node:tls";
import { bind, serveDatagrams, ZocaloError } from "../../src/index.ts";
import { SeededRandom } from "../fixtures/seeded-random.ts";
import { Listener, gone, type Kind, PROXY_HEADER } from "./listeners.ts";
import { portOf } from "../fixtures/port-of.ts";

/** After so many attacks a client that keeps the rules asks. */
const CHECK_EVERY = 100;

/** How long, and from where on. */
export interface FuzzOptions {
  readonly rounds: number;
  readonly seed: number;
}

/** What a TLS client says first. */
async function clientHello(): Promise<Buffer> {
  const listener = net.createServer().listen(0, "127.0.0.1");
  const port = await portOf(listener);
  const client = tls.connect({ host: "127.0.0.1", port, servername: "localhost" }).on("error", () => undefined);
  const [accepted] = (await once(listener, "connection")) as [net.Socket];
  const [hello] = (await once(accepted, "data")) as [Buffer];
  client.destroy();
  accepted.destroy();
  listener.close();
  return hello;
}

/** Openings that lead a parser further in than noise does. */
const OPENINGS: readonly Buffer[] = [
  Buffer.alloc(0),
  Buffer.from(PROXY_HEADER),
  Buffer.from("PROXY "),
  Buffer.from("PROXY UNKNOWN\r\n"),
  // Version 2 (binary): a local one, a TCP one that promises 12 bytes, one that promises all there can be.
  Buffer.from("0d0a0d0a000d0a515549540a20000000", "hex"),
  Buffer.from("0d0a0d0a000d0a515549540a2111000c", "hex"),
  Buffer.from("0d0a0d0a000d0a515549540a2111ffff", "hex"),
  Buffer.from("160301020001000", "hex"),
  Buffer.from("hola\n"),
  await clientHello(),
];

/** An opening, perhaps damaged, and noise behind it. */
function garbage(random: SeededRandom): Buffer {
  const opening = Buffer.from(OPENINGS[random.below(OPENINGS.length)] as Buffer);
  for (let flips = random.oneIn(2) ? random.below(4) : 0; flips > 0 && opening.length > 0; flips -= 1) {
    opening[random.below(opening.length)] = random.below(256);
  }
  const noise = Buffer.alloc(random.below(random.oneIn(10) ? 100_000 : 300));
  for (let at = 0; at < noise.length; at += 1) noise[at] = random.below(256);
  return Buffer.concat([opening, noise]);
}

/** One rude connection: bytes in pieces, outside or inside, then an end, a reset or nothing more. */
async function attack(listener: Listener, random: SeededRandom): Promise<void> {
  const knock = async () => {
    const socket = await listener.knock();
    return { stream: socket, socket };
  };
  const { stream, socket } = random.oneIn(3) ? await listener.enter() : await knock();
  if (random.oneIn(2)) stream.resume();
  // Beneath TLS it is damage on the way, above it a rude client.
  const target = random.oneIn(2) ? stream : socket;
  const bytes = garbage(random);
  const cut = random.below(bytes.length + 1);
  target.write(bytes.subarray(0, cut));
  await nextTurn();
  const way = random.below(3);
  if (way === 0) target.end(bytes.subarray(cut));
  else target.write(bytes.subarray(cut));
  await nextTurn();
  // A Unix socket has no reset.
  if (way === 1 && listener.kind.transport !== "unix") socket.resetAndDestroy();
  else socket.destroy();
  stream.destroy();
  await gone(socket);
}

/** Attacks a server of this kind; fails unless clients that keep the rules are served all the time, and nothing is left. */
export async function fuzzListener(kind: Kind, { rounds, seed }: FuzzOptions): Promise<Listener> {
  const random = new SeededRandom(seed);
  const listener = await Listener.open(kind);
  for (let round = 0; round < rounds; round += 1) {
    await attack(listener, random);
    if (round % CHECK_EVERY === 0) await listener.serves();
  }
  await listener.serves();
  await listener.closes();
  for (const error of listener.thrown) assert.ok(error instanceof ZocaloError, String(error));
  return listener;
}

/** The same for a server on datagrams; answers how many were handled. */
export async function fuzzDatagramSocket({ rounds, seed }: FuzzOptions): Promise<number> {
  const random = new SeededRandom(seed);
  const server = await serveDatagrams("udp://127.0.0.1:0", ({ data }) => data.toString().toUpperCase());
  const rude = createSocket("udp4").on("error", () => undefined);
  const { port } = server.localAddress;
  for (let round = 0; round < rounds; round += 1) {
    await new Promise((resolve) => {
      rude.send(garbage(random).subarray(0, 60_000), port, "127.0.0.1", resolve);
    });
    // Let the server read: else the kernel drops what a burst of one process has sent, and nothing is tested.
    await nextTurn();
  }
  rude.close();
  const box = await bind("udp://127.0.0.1:0", { remote: server.localAddress });
  // A datagram may be lost in the queue that the garbage has filled: ask again, as every client over UDP must.
  let reply = "";
  for (let tries = 0; tries < 50 && reply !== "HOLA"; tries += 1) {
    await box.send("hola");
    reply = await box.receive({ timeoutMs: 200 }).then(({ data }) => data.toString(), String);
  }
  await box.close();
  const { requestsHandled } = server.stats;
  await server.close({ timeoutMs: 0 });
  assert.equal(reply, "HOLA");
  return requestsHandled;
}

import assert from "node:assert/strict";
import dgram from "node:dgram";
import dns from "node:dns";
import net from "node:net";
import { after, test } from "node:test";
import { bind, connect, listen } from "../../src/index.ts";
import { lines } from "../../src/framing.ts";
import { call, contract, connectSession, serveSessions, typeOnly } from "../../src/protocol.ts";
import { check } from "../../src/sim.ts";

/*
 * What was opened outside, on the loopback interface, is of no use within a world: a program that reads from it depends on
 * more than its seed, and one that writes to it has left its world.
 */

const listener = await listen("tcp://127.0.0.1:0");
const waiting = await listen("tcp://127.0.0.1:0");
const [caller, peer] = await Promise.all([connect(listener.localAddress), listener.accept()]);
const [framedCaller, framedPeer] = await Promise.all([connect(listener.localAddress), listener.accept()]);
const framed = framedCaller.framed(lines());
const box = await bind("udp://127.0.0.1:0");
const framedBox = (await bind("udp://127.0.0.1:0")).framed(lines());
const raw = net.connect(listener.localAddress.port, "127.0.0.1");
const rawPeer = await listener.accept();
const echo = contract("echo", "1.0.0", { server: { echo: call(typeOnly<string>(), typeOnly<string>()) } });
const server = await serveSessions(echo, "tcp://127.0.0.1:0", { handlers: { echo: (text) => text } });
const session = await connectSession(echo, server.localAddress);
await peer.write("what has arrived before");
await framedPeer.write("a line\n");

after(async () => {
  for (const socket of [caller, peer, framedCaller, framedPeer, rawPeer]) socket.abort();
  raw.destroy();
  await Promise.all([listener.close(), waiting.close(), box.close(), framedBox.close()]);
  await session.close({ timeoutMs: 0 });
  await server.close({ timeoutMs: 0 });
});

const USES: Readonly<Record<string, () => unknown>> = {
  "a connection: read": () => caller.read(),
  "a connection: readExactly": () => caller.readExactly(4),
  "a connection: iterate": () => caller[Symbol.asyncIterator]().next(),
  "a connection: chunks": () => caller.chunks().next(),
  "a connection: write": () => caller.write("x"),
  "a connection: end": () => caller.end(),
  "messages on a connection: receive": () => framed.receive(),
  "messages on a connection: iterate": () => framed[Symbol.asyncIterator]().next(),
  "messages on a connection: messages": () => framed.messages().next(),
  "messages on a connection: send": () => framed.send("x"),
  "a datagram socket: send": () => box.send("x", box.localAddress),
  "a datagram socket: receive": () => box.receive(),
  "a datagram socket: datagrams": () => box.datagrams().next(),
  "a datagram socket: onDatagrams": () => box.onDatagrams(() => undefined),
  "a datagram socket: batches": () => box.batches().next(),
  "messages on a datagram socket: messages": () => framedBox.messages().next(),
  "messages on a datagram socket: onMessages": () => framedBox.onMessages(() => undefined),
  "messages on a datagram socket: receive": () => framedBox.receive(),
  "a listener: accept": () => waiting.accept(),
  "a listener: connections": () => waiting.connections().next(),
  "a session: call": () => session.remote.echo("hola"),
  "a socket of the runtime: write": () => raw.write("x"),
  "a socket of the runtime: data": () => raw.on("data", () => undefined),
};

/** By references that were taken before, as CommonJS packages do: only the objects of the runtime show them. */
const early = {
  listen: Reflect.get(net.Server.prototype, "listen") as (this: net.Server, at: net.ListenOptions) => net.Server,
  lookup: dns.lookup,
  createSocket: dgram.createSocket,
};
const EARLY: Readonly<Record<string, () => unknown>> = {
  "a saved listen": () =>
    early.listen
      .call(net.createServer(), { port: 0, host: "127.0.0.1" })
      .once("listening", function (this: net.Server) {
        this.close();
      }),
  "a saved lookup": () => early.lookup("localhost", () => undefined),
  "a saved createSocket": () => early.createSocket("udp4").close(),
};

for (const [name, use] of Object.entries({ ...USES, ...EARLY })) {
  test(`a leak within a world: ${name}`, async () => {
    const main = check({ seed: 1 }, async (world) => {
      // A program that catches the error fails all the same.
      await Promise.resolve()
        .then(use)
        .catch(() => undefined);
      await world.sleep(1);
    });
    // Sessions ask their clock before they write.
    await assert.rejects(main, { code: name.startsWith("a session") ? "SIM_CLOCK_LEAK" : "SIM_LEAK" });
  });
}

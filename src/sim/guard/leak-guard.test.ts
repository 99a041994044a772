import assert from "node:assert/strict";
import { AsyncResource } from "node:async_hooks";
import child, { spawn } from "node:child_process";
import crypto from "node:crypto";
import dgram from "node:dgram";
import dns, { lookup } from "node:dns";
import dnsPromises from "node:dns/promises";
import http from "node:http";
import http2 from "node:http2";
import https from "node:https";
import inspector from "node:inspector";
import net, { connect } from "node:net";
import { test } from "node:test";
import timersPromises from "node:timers/promises";
import tls from "node:tls";
import { Worker } from "node:worker_threads";
import { allowed, GuardedScene, testLeaks } from "../../../test/sim/guarded-scene.ts";
import type { ZocaloError } from "../../core/errors.ts";
import { raiseGuard } from "./leak-guard.ts";

/** Nothing listens there; were the guard to fail, nothing is reached either. */
const NOWHERE = { host: "127.0.0.1", port: 9 };

/** References taken before the guard went up, as other modules hold them. */
const early = {
  connect: net.connect,
  createConnection: net.createConnection,
  createServer: net.createServer,
  createSocket: dgram.createSocket,
  httpServer: http.createServer,
  fork: child.fork,
};

const outside = new AsyncResource("outside");
const channel = new BroadcastChannel("plaza");
channel.close();

function bindingOf(name: string): unknown {
  return (process as unknown as { binding: (name: string) => unknown }).binding(name);
}

testLeaks("SIM_LEAK", {
  "net.connect": () => net.connect(NOWHERE),
  "net.connect as an import": () => connect(NOWHERE),
  "net.connect taken early": () => early.connect(NOWHERE),
  "net.createConnection taken early": () => early.createConnection(NOWHERE),
  "net.Socket": () => new net.Socket().connect(NOWHERE),
  "net.Server": () => early.createServer().listen(0),
  "a Unix socket": () => net.connect("/nowhere.sock"),
  "tls.connect": () => tls.connect(NOWHERE),
  "http.get": () => http.get("http://127.0.0.1:9/"),
  "http.request": () => http.request("http://127.0.0.1:9/"),
  "http.Server": () => early.httpServer().listen(0),
  "https.get": () => https.get("https://127.0.0.1:9/"),
  "http2.connect": () => http2.connect("http://127.0.0.1:9"),
  fetch: () => fetch("http://127.0.0.1:9/"),
  "dgram bind": () => dgram.createSocket("udp4").bind(0),
  "dgram addMembership": () => dgram.createSocket("udp4").addMembership("239.77.3.4", "127.0.0.1"),
  "dgram addSourceSpecificMembership": () =>
    dgram.createSocket("udp4").addSourceSpecificMembership("127.0.0.1", "232.77.3.4", "127.0.0.1"),
  "dgram send, taken early": () => early.createSocket("udp4").send("x", 9, "127.0.0.1"),
  "dns.lookup": () => dns.lookup("localhost", () => undefined),
  "dns.lookup as an import": () => lookup("localhost", () => undefined),
  "dns.resolve4": () => dns.resolve4("localhost", () => undefined),
  "dns.Resolver": () => new dns.Resolver().resolve4("localhost", () => undefined),
  "dns/promises lookup": () => dnsPromises.lookup("localhost"),
  "dns/promises Resolver": () => new dnsPromises.Resolver().resolve6("localhost"),
  "child_process.spawn": () => child.spawn(process.execPath, ["--version"]),
  "child_process.spawn as an import": () => spawn(process.execPath, ["--version"]),
  "child_process.execFileSync": () => child.execFileSync(process.execPath, ["--version"]),
  "child_process.fork taken early": () => early.fork("/nowhere.js"),
  "process.exit": () => process.exit(0),
  "process.kill": () => process.kill(process.pid, 0),
  "inspector.open": () => inspector.open(0, "127.0.0.1"),
  "process.binding": () => bindingOf("tcp_wrap"),
  "process.binding of a helper": () => bindingOf("spawn_sync"),
  "a resource made outside": () => outside.runInAsyncScope(() => net.connect(NOWHERE)),
  "the class of a channel": () => new (channel.constructor as typeof BroadcastChannel)("plaza"),
  BroadcastChannel: () => new BroadcastChannel("plaza"),
  "worker_threads.Worker": () => new Worker("", { eval: true }),
});

test("the guard follows the program through promises, ticks and real asynchronous work", async () => {
  const lower = raiseGuard();
  const caught = await new GuardedScene().run(async () => {
    await Promise.resolve();
    await new Promise<void>((resolve) => process.nextTick(resolve));
    await new Promise((resolve) => crypto.pbkdf2("a", "b", 1, 8, "sha1", resolve));
    try {
      Math.random();
      return "nothing";
    } catch (error) {
      return (error as ZocaloError).code;
    }
  });
  lower();
  assert.equal(caught, "SIM_CLOCK_LEAK");
});

test("what stays inside is allowed", async () => {
  await allowed(() => {
    const twice = (text: string): string => text + text;
    assert.equal(new AsyncResource("inside").runInAsyncScope(twice, undefined, "x"), "xx");
    assert.equal(typeof bindingOf("util"), "object");
    process.stdout.write("# a program may print\n");
  });
});

// The rules are those of docs/semantics.md.
test("rule E4: code outside keeps the real ones while a world runs", async () => {
  const lower = raiseGuard();
  assert.ok(Date.now() > 0 && new Date().getTime() > 0 && typeof Date() === "string");
  assert.ok(Math.random() < 1 && performance.now() > 0 && process.hrtime.bigint() > 0n);
  assert.equal(crypto.randomBytes(4).length, 4);
  await timersPromises.setTimeout(1);
  const server = net.createServer((socket) => socket.end("real")).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as net.AddressInfo;
  const text = await new Promise((resolve) => net.connect(port, "127.0.0.1").setEncoding("utf8").once("data", resolve));
  assert.equal(text, "real");
  server.close();
  lower();
});

test("when the last world has ended everything is as it was", () => {
  const now = (): object => ({
    date: Date,
    dateOfDates: Date.prototype.constructor,
    setTimeout,
    fetch,
    random: Math.random,
    connect: net.connect,
    ofSockets: Object.getOwnPropertyDescriptors(net.Socket.prototype),
    timeOfEvents: Object.getOwnPropertyDescriptor(Event.prototype, "timeStamp"),
    ofResources: Object.getOwnPropertyDescriptors(AsyncResource.prototype),
  });
  const before = now();
  const { connect: realConnect } = net;
  const first = raiseGuard();
  const second = raiseGuard();
  assert.notEqual(new Date(0).constructor, (before as { date: unknown }).date);
  first();
  first();
  assert.notEqual(net.connect, realConnect);
  second();
  assert.deepEqual(now(), before);
  assert.equal(connect, realConnect);
});

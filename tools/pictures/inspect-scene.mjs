// A chat with people near and far, which the pictures of the inspector show. Two processes: the server, which is inspected, and
// the clients, who come through fault proxies that are 1 to 200 milliseconds long. `node tools/pictures/inspect-scene.mjs` prints
// the address of the page, and runs until it is ended.
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";

const { bind, serve, serveDatagrams } = await import("../../dist/index.js");
const { inspect } = await import("../../dist/inspect.js");
const { call, connectSession, contract, event, serveSessions, stream, typeOnly } = await import(
  "../../dist/protocol.js"
);
const { startProxy } = await import("../../dist/proxy.js");

const LOCAL = "tcp://127.0.0.1:0";
const SEED = 7;
const CLIENTS = 240;
const WAYS_MS = [0, 1, 4, 15, 40, 90];
const NAMES = ["ana", "luis", "eva", "juan", "carmen", "pablo"];
const timeouts = { heartbeatMs: 1000 };
const never = () => new Promise(() => undefined);

const chat = contract("chat", "1.2.0", {
  server: { say: call(), history: call(), typing: event(), upload: stream({ sends: typeOnly() }) },
  client: { heard: event() },
});

if (process.send === undefined) await beServer();
else process.once("message", (port) => void beClients(port));

async function beServer() {
  const inspector = await inspect();
  const server = await serveSessions(chat, LOCAL, {
    timeouts,
    authenticate: ({ auth }) => auth,
    handlers: { say: (text) => text, history: never, typing: () => undefined, upload: never },
  });
  await serve(LOCAL, async (peer) => void (await peer.read()));
  await serveDatagrams("udp://127.0.0.1:0", () => undefined);
  await bind("udp://127.0.0.1:0");
  const clients = fork(fileURLToPath(import.meta.url));
  process.once("SIGTERM", () => {
    clients.kill();
    process.exit();
  });
  clients.send(server.localAddress.port);
  clients.once("message", () => {
    console.log(inspector.url);
    // Some of them read late.
    setInterval(() => {
      for (const [index, session] of [...server.sessions.values()].entries()) {
        if (index % 5 === 0) void session.remote.heard("x".repeat(300 * ((index % 40) + 1)));
      }
    }, 1000);
  });
}

async function beClients(port) {
  const proxies = WAYS_MS.map((_ms, index) => ({ name: `way ${index}`, upstream: `tcp://127.0.0.1:${port}` }));
  const running = await startProxy({ seed: SEED, proxies });
  const ways = [...running.proxies.values()];
  for (const [index, ms] of WAYS_MS.entries()) {
    const latency = { kind: "uniform", fromMs: ms * 0.6, toMs: ms * 1.4 };
    if (ms > 0) ways[index].inflict({ kind: "latency", from: "server", to: "client", latency });
  }
  const sessions = [];
  for (let number = 0; number < CLIENTS; number += 1) {
    const way = ways[Math.floor(((number * 0.618) % 1) ** 2 * ways.length)];
    const heard = number % 4 === 0 ? never : () => undefined;
    const session = await connectSession(chat, way.listen, {
      auth: NAMES[number % NAMES.length],
      timeouts,
      handlers: { heard },
    });
    sessions.push(session);
    if (number % 7 === 0) session.remote.history(undefined, { timeoutMs: 60_000 }).catch(() => undefined);
    if (number % 15 === 0) session.remote.upload(undefined);
  }
  process.send("ready");
  let tick = 0;
  setInterval(() => {
    tick += 1;
    for (const [number, session] of sessions.entries()) {
      if ((number + tick) % 10 === 0) session.remote.say("hola").catch(() => undefined);
    }
  }, 500);
}

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { get as httpsGet } from "node:https";
import net from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import tls from "node:tls";
import { serve } from "../../src/index.ts";
import { run, RunningProgram } from "../cli/program.ts";
import { testCertificates } from "../fixtures/certificates.ts";
import { readOpenMetrics } from "../fixtures/open-metrics.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { repositoryRoot } from "../fixtures/repository-root.ts";

/* The examples run as they are: each program in a process of its own. The ones for the simulator: test/replay. */

const MAX_LINES = 60;
const ANY = "tcp://127.0.0.1:0";

function start(t: TestContext, program: string, args: readonly string[], input?: string | null): RunningProgram {
  const path = join(repositoryRoot, "build/examples", `${program}.js`);
  return new RunningProgram(t, process.execPath, [path, ...args], input === undefined ? {} : { input });
}

test("each example has fewer than sixty lines", () => {
  const root = join(repositoryRoot, "examples");
  const folders = readdirSync(root).filter((name) => statSync(join(root, name)).isDirectory());
  assert.ok(folders.includes("chat"));
  for (const name of folders) {
    const files = readdirSync(join(root, name)).filter((file) => file.endsWith(".ts"));
    const lines = files.map((file) => readFileSync(join(root, name, file), "utf8").split("\n").length - 1);
    // Of the simulator each file is an example; of the others a contract, a server and a client are one.
    const most = name === "sim" ? Math.max(...lines) : lines.reduce((sum, one) => sum + one, 0);
    assert.ok(most < MAX_LINES, `${name}: ${most} lines`);
  }
});

test("steps of the learner that share a file have the same one", () => {
  const file = (path: string): string => readFileSync(join(repositoryRoot, "examples", path), "utf8");
  for (const [path, first, second, ...others] of [
    ["learn", "3-two-people/server.ts", "4-somebody-slow/waiting.ts"],
    ["aprender", "3-dos-personas/servidor.ts", "4-alguien-lento/esperando.ts"],
    ["learn", "5-a-contract/server.ts", "6-a-lost-connection/server.ts"],
    ["aprender", "5-un-contrato/servidor.ts", "6-una-conexion-perdida/servidor.ts"],
    ["learn", "5-a-contract/contract.ts", "6-a-lost-connection/contract.ts", "7-a-test/contract.ts"],
    ["aprender", "5-un-contrato/contrato.ts", "6-una-conexion-perdida/contrato.ts", "7-una-prueba/contrato.ts"],
  ] as const) {
    for (const other of [second, ...others]) assert.equal(file(`${path}/${other}`), file(`${path}/${first}`));
  }
});

test("chat: who is in a room hears what is said there, and who comes and goes", async (t) => {
  const server = start(t, "chat/server", [ANY]);
  const address = await server.listening();
  const ana = start(t, "chat/client", ["plaza", "Ana", address]);
  await ana.shows(/^\* with you in plaza: nobody$/m);
  const luis = start(t, "chat/client", ["plaza", "Luis", address]);
  await luis.shows(/^\* with you in plaza: Ana$/m);
  await ana.shows(/^\*: Luis has come$/m);
  const eva = start(t, "chat/client", ["market", "Eva", address]);
  await eva.shows(/^\* with you in market: nobody$/m);

  luis.child.stdin.write("hola\nadiós\n");
  await ana.shows(/^Luis: hola\nLuis: adiós$/m);
  luis.child.stdin.end();
  await ana.shows(/^\*: Luis left$/m);
  assert.equal((await luis.ended).code, 0);

  const twin = await start(t, "chat/client", ["plaza", "Ana", address], null).ended;
  assert.match(twin.stderr, /somebody in plaza is called Ana/);
  eva.child.stdin.end();
  assert.doesNotMatch((await eva.ended).stdout, /Luis/);
  ana.child.stdin.end();
  await ana.ended;
  server.child.kill("SIGTERM");
  assert.equal((await server.ended).code, 0);
});

test("file transfer: the file arrives whole, with its progress; no name leads out of the folder", async (t) => {
  const path = temporaryFolder(t);
  const content = randomBytes(3_000_000);
  writeFileSync(join(path, "photo.jpg"), content);
  const server = start(t, "file-transfer/server", [path, ANY]);
  const address = await server.listening();

  const target = join(path, "copy.jpg");
  const { code, stdout, stderr } = await start(t, "file-transfer/client", ["photo.jpg", target, address]).ended;
  assert.equal(code, 0, stderr);
  const percents = [...stdout.matchAll(/^(\d+) %$/gm)].map(([, percent]) => Number(percent));
  assert.ok(percents.length > 10 && percents.at(-1) === 100, stdout);
  assert.deepEqual(
    percents.toSorted((a, b) => a - b),
    percents,
  );
  const hash = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");
  assert.equal(hash(readFileSync(target)), hash(content));

  const outside = await start(t, "file-transfer/client", ["../../etc/passwd", target, address]).ended;
  assert.match(outside.stderr, /there is no file \.\.\/\.\.\/etc\/passwd/);
  server.child.kill("SIGTERM");
  assert.equal((await server.ended).code, 0);
});

test("remote control: the server calls its devices", async (t) => {
  const server = start(t, "remote-control/server", [ANY]);
  const address = await server.listening();
  const stranger = new RunningProgram(
    t,
    process.execPath,
    [join(repositoryRoot, "build/examples/remote-control/device.js"), "lamp", address],
    { env: { DEVICE_KEY: "wrong" } },
  );
  assert.match((await stranger.ended).stderr, /UNAUTHENTICATED/);

  const lamp = start(t, "remote-control/device", ["lamp", address]);
  // The device is there as soon as it is: ask until then.
  server.child.stdin.write("oven on\n");
  await server.shows(/^there is no device oven$/m);
  await lamp.tells(/^connected as lamp$/m);
  server.child.stdin.write("lamp on\n");
  await server.shows(/^lamp \{ on: true \}$/m);
  await lamp.shows(/^the lamp is on$/m);
  server.child.stdin.write("lamp off\nlamp measure\n");
  await server.shows(/^lamp \{ on: false \}\nlamp \{ celsius: 21\.5 \}$/m);

  lamp.child.kill("SIGTERM");
  assert.equal((await lamp.ended).code, 0);
  server.child.stdin.end();
  assert.equal((await server.ended).code, 0);
});

test("watched: the owner sets a price in a trace, nobody else does, and the figures tell", async (t) => {
  const server = start(t, "watched/server", [ANY, "0"]);
  const address = await server.listening();
  const owner = await start(t, "watched/client", ["owner", "3", address]).ended;
  assert.equal(owner.stdout, "bread costs 3\n", owner.stderr);
  const thief = await start(t, "watched/client", ["thief", "0", address]).ended;
  assert.match(thief.stderr, /you are not the owner/);
  const [, figures = ""] = await server.tells(/^figures at (\S+)$/m);
  const found = readOpenMetrics(await (await fetch(figures)).text());
  assert.equal(found.get('zocalo_calls_total{method="reprice",kind="call",code="OK"}'), 1);
  assert.equal(found.get('zocalo_calls_total{method="reprice",kind="call",code="FORBIDDEN"}'), 1);
  server.child.kill("SIGTERM");
  const { code, stdout } = await server.ended;
  assert.equal(code, 0);
  assert.match(
    stdout,
    /^reprice by owner, trace [0-9a-f]{32}\nprice by owner, trace none\nreprice by thief, trace [0-9a-f]{32}\n$/,
  );
});

test("telemetry: most of it arrives, and what is asked is answered", async (t) => {
  const collector = start(t, "telemetry/collector", ["udp://127.0.0.1:0"]);
  const address = await collector.listening();
  const sensor = await start(t, "telemetry/sensor", ["roof", "20", address]).ended;
  assert.equal(sensor.code, 0, sensor.stderr);
  // Loopback loses nothing unless it is flooded, but nobody promises that.
  const [, got = "0", highest = ""] = /^(\d+) of 20 arrived, the highest was (\d+)\n$/.exec(sensor.stdout) ?? [];
  assert.ok(Number(got) >= 1 && Number(got) <= 20 && Number(highest) <= 24, sensor.stdout);
  const silent = await start(t, "telemetry/sensor", ["cellar", "0", address]).ended;
  assert.match(silent.stderr, /NOTHING_YET|cellar has sent nothing/);
  collector.child.kill("SIGTERM");
  assert.equal((await collector.ended).code, 0);
});

/** Writes PEM files for a server, and answers their paths. */
async function certificateFiles(t: TestContext): Promise<Record<"ca" | "cert" | "key", string>> {
  const { authority, server } = await testCertificates();
  const folder = temporaryFolder(t);
  const files = { ca: authority.cert, cert: server.cert, key: server.key };
  for (const [name, pem] of Object.entries(files)) writeFileSync(join(folder, name), pem);
  return { ca: join(folder, "ca"), cert: join(folder, "cert"), key: join(folder, "key") };
}

test("one port: HTTP, TLS and lines, and both inside TLS", async (t) => {
  const { ca, cert, key } = await certificateFiles(t);
  const server = start(t, "one-port/server", [ANY, cert, key]);
  const address = await server.listening();
  const [, port = ""] = /:(\d+)$/.exec(address) ?? [];
  const authority = readFileSync(ca);

  assert.equal(await (await fetch(`http://127.0.0.1:${port}/uno`)).text(), "HTTP: GET /uno\n");
  const secure = await new Promise<IncomingMessage>((resolve, reject) => {
    const options = { ca: authority, servername: "localhost", agent: false };
    httpsGet(`https://127.0.0.1:${port}/dos`, options, resolve).on("error", reject);
  });
  assert.equal(await text(secure), "HTTP: GET /dos\n");

  for (const socket of [
    net.connect(Number(port), "127.0.0.1"),
    tls.connect({ port: Number(port), host: "127.0.0.1", ca: authority, servername: "localhost" }),
  ]) {
    // Shorter than any request of HTTP, and the client waits.
    socket.write("a\n");
    assert.equal(String((await once(socket, "data"))[0]), "line: a\n");
    socket.end("hola\nmundo\n");
    assert.equal(await text(socket), "line: hola\nline: mundo\n");
  }
  server.child.kill("SIGTERM");
  assert.equal((await server.ended).code, 0);
});

test("mail: a dialogue with STARTTLS, and an answer that says no", async (t) => {
  const { ca, cert, key } = await certificateFiles(t);
  const got: string[] = [];
  await using server = await serve(ANY, async (peer) => {
    const answers: Record<string, string> = {
      EHLO: "250-here\r\n250 STARTTLS",
      STARTTLS: "220 go",
      DATA: "354 go",
      QUIT: "221 bye",
    };
    await peer.write("220 here\r\n");
    for (;;) {
      const { line, match } = await peer.expect(/^(\w+)/);
      got.push(line);
      if (line.includes("luis") && got.length > 20) await peer.write("550 no such user\r\n");
      else await peer.write(`${answers[match[1] ?? ""] ?? "250 ok"}\r\n`);
      if (line === "DATA") {
        got.push(String(await peer.readUntil("\r\n.\r\n")));
        await peer.write("250 kept\r\n");
      } else if (line === "STARTTLS") {
        await peer.startTls({ role: "server", cert: readFileSync(cert), key: readFileSync(key) });
      } else if (line === "QUIT") return;
    }
  });
  const address = `tcp://localhost:${server.localAddress.port}`;
  const mail = await start(t, "mail/client", [address, ca]).ended;
  assert.deepEqual(mail, { code: 0, signal: null, stdout: "250 kept\n", stderr: "" });
  const words = got.map((line) => line.split(/[ :]/)[0]);
  assert.deepEqual(words, ["EHLO", "STARTTLS", "EHLO", "MAIL", "RCPT", "DATA", "Subject", "QUIT"]);
  got.push(...Array<string>(20).fill("full"));
  const refused = await start(t, "mail/client", [address, ca]).ended;
  assert.match(refused.stderr, /RCPT TO:<luis@server\.example> was answered: 550 no such user/);
});

test("the contracts of the examples can be shown", async (t) => {
  for (const name of ["chat", "file-transfer", "remote-control", "telemetry"]) {
    const file = join(repositoryRoot, "build/examples", name, "contract.js");
    const { code, stdout, stderr } = await run(t, ["contract", "show", file]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^# \w+ 1\.0\.0\n/);
    assert.match(stdout, /"type": "object"/);
  }
});

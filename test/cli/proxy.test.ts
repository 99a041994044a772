import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { connect, serve, type Server } from "../../src/index.ts";
import { formatSchedule, parseSchedule } from "../../src/proxy.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { run, type RunningProgram, start } from "./program.ts";

/** A server that sends back what it gets. */
async function echo(): Promise<Server> {
  return await serve("tcp://127.0.0.1:0", async (peer) => {
    for await (const bytes of peer) await peer.write(bytes);
  });
}

/** A program that says `hola` to the proxy of that name, prints what comes back, and ends with 7. */
const CLIENT = (name: string): string => `
  const [host, port] = process.env.ZOCALO_PROXY_${name}.split(":");
  const socket = require("node:net").connect(port, host, () => socket.end("hola"));
  socket.pipe(process.stdout);
  socket.on("close", () => (process.exitCode = 7));`;

test("a program behind -- uses the proxies, and the command ends as it does", async (t) => {
  await using server = await echo();
  const flags = ["tcp://127.0.0.1:0", String(server.localAddress), "--seed", "7", "--slice", "2"];
  const ended = await run(t, ["proxy", ...flags, "--", process.execPath, "-e", CLIENT("MAIN")]);
  assert.deepEqual([ended.code, ended.stdout], [7, "hola"]);
  assert.match(ended.stderr, /^main: tcp:\/\/127\.0\.0\.1:\d+ -> tcp:\/\/127\.0\.0\.1:\d+$/m);
  assert.match(ended.stderr, /^1 connection: slicing \d+ \(seed 7, digest [\da-f]{16}\)$/m);
});

test("the proxies of a file, and a client of Toxiproxy", async (t) => {
  await using server = await echo();
  const upstream = server.localAddress.hostPort;
  const file = join(temporaryFolder(t), "proxies.json");
  writeFileSync(file, JSON.stringify([{ name: "my-db", listen: "127.0.0.1:0", upstream }]));
  const proxy = start(t, ["proxy", "--config", file, "--api", "127.0.0.1:0", "--json"]);
  const [, url] = await proxy.tells(/"event":"api","url":"([^"]+)"/);
  const toxic = { type: "limit_data", attributes: { bytes: 2 } };
  const answer = await fetch(`${url}/proxies/my-db/toxics`, { method: "POST", body: JSON.stringify(toxic) });
  assert.equal(answer.status, 200);
  const shown = (await (await fetch(`${url}/proxies/my-db`)).json()) as { readonly listen: string };
  const environment = { env: { ZOCALO_PROXY_MY_DB: shown.listen } };
  const ended = await run(
    t,
    ["proxy", "tcp://127.0.0.1:0", upstream, "--", process.execPath, "-e", CLIENT("MY_DB")],
    environment,
  );
  assert.deepEqual([ended.code, ended.stdout], [7, "ho"]);
  proxy.child.kill("SIGINT");
  const { code, stderr } = await proxy.ended;
  assert.equal(code, 0);
  const report = JSON.parse(stderr.trim().split("\n").at(-1) ?? "") as Readonly<Record<string, unknown>>;
  assert.deepEqual([report["event"], report["seed"], report["connections"]], ["report", 1, 1]);
});

test("names of proxies are shown, and give no orders to the terminal; two of one variable are refused", async (t) => {
  const file = join(temporaryFolder(t), "proxies.json");
  const config = ["proxy", "--config", file];
  const upstream = "127.0.0.1:9";
  writeFileSync(file, JSON.stringify([{ name: "red \u001b[31m", upstream }]));
  const shown = await run(t, [...config, "--no-page", "--for", "1"]);
  assert.equal(shown.code, 0);
  assert.match(shown.stderr, /^red \ufffd\[31m: tcp/);
  writeFileSync(file, JSON.stringify(["my-db", "MY_DB"].map((name) => ({ name, upstream }))));
  const refused = await run(t, [...config, "--", process.execPath, "-e", "console.log('runs')"]);
  assert.deepEqual([refused.code, refused.stdout], [2, ""]);
  assert.match(refused.stderr, /the proxies "my-db" and "MY_DB" would both be ZOCALO_PROXY_MY_DB; rename one/);
});

test("without a program it runs for the time that is asked for", async (t) => {
  const { code, stderr } = await run(t, [
    "proxy",
    "udp://127.0.0.1:0",
    "udp://127.0.0.1:9",
    "--for",
    "20",
    "--loss",
    "0.5",
  ]);
  assert.equal(code, 0);
  assert.match(stderr, /^0 connections: no fault \(seed 1, digest 0{16}\)$/m);
});

test("without a program there is a page, and with one only where it is asked for", async (t) => {
  const words = ["proxy", "tcp://127.0.0.1:0", "tcp://127.0.0.1:9"];
  const proxy = start(t, words);
  const [, url = ""] = await proxy.tells(/^look at it: (http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{32})$/m);
  const answer = await fetch(url);
  assert.deepEqual([answer.status, answer.headers.get("content-type")], [200, "text/html; charset=utf-8"]);
  assert.equal((await fetch(new URL("/", url))).status, 403);
  proxy.child.kill("SIGINT");
  assert.equal((await proxy.ended).code, 0);
  const program = ["--", process.execPath, "-e", ""];
  for (const [flags, has] of [
    [["--no-page", "--for", "1"], false],
    [program, false],
    [["--page", ...program], true],
  ] as const) {
    const { code, stderr } = await run(t, [...words, ...flags]);
    assert.deepEqual([code, /^look at it: /m.test(stderr)], [0, has], stderr);
  }
});

/** Starts a program behind a proxy, and waits until it runs. @param onTerm - What it does at a SIGTERM. */
async function programBehind(t: TestContext, onTerm: string): Promise<RunningProgram> {
  const program = `process.on("SIGTERM", () => { ${onTerm} }); console.log("runs"); setInterval(() => undefined, 1000)`;
  const proxy = start(t, ["proxy", "tcp://127.0.0.1:0", "127.0.0.1:9", "--", process.execPath, "-e", program]);
  await proxy.shows(/runs/);
  return proxy;
}

const REPORT = /^0 connections: no fault \(seed 1, digest 0{16}\)$/m;

test("at a signal the program gets SIGTERM, and its end is the end of the command", async (t) => {
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    const proxy = await programBehind(t, "process.exit(5)");
    proxy.child.kill(signal);
    const { code, stderr } = await proxy.ended;
    assert.equal(code, 5, signal);
    assert.match(stderr, REPORT);
  }
});

test("a program that ignores SIGTERM is killed, and the report is printed", async (t) => {
  const proxy = await programBehind(t, 'setInterval(() => console.log("goes on"), 50)');
  proxy.child.stdout.on("data", () => proxy.child.kill("SIGINT"));
  proxy.child.kill("SIGINT");
  const { code, stderr } = await proxy.ended;
  assert.equal(code, 137);
  assert.match(stderr, REPORT);
});

/** A list as `zocalo sim shrink` writes it, of hosts with other names. */
const SHRUNK = {
  format: 1,
  simulation: "orders",
  seed: 3,
  failure: "CONNECTION_RESET",
  chaosMs: 600_000,
  choices: { cutReads: false, permute: false, latency: 1 },
  faults: [{ atMs: 0, lastsMs: 600_000, kind: "reset", from: "alice", to: "bob" }],
};

test("a list of the simulator breaks a real program", async (t) => {
  await using server = await echo();
  const file = join(temporaryFolder(t), "storm.json");
  // With a byte order mark, as some editors write it.
  writeFileSync(file, `\uFEFF${JSON.stringify(SHRUNK)}`);
  const schedule = ["--faults", file, "--as", "client=alice", "--as", "server=bob"];
  const flags = ["tcp://127.0.0.1:0", String(server.localAddress), ...schedule, "--for", "600000"];
  const program = `${CLIENT("MAIN")} socket.on("error", ({ code }) => console.log(code));`;
  const ended = await run(t, ["proxy", ...flags, "--", process.execPath, "-e", program]);
  assert.deepEqual([ended.code, ended.stdout], [7, "ECONNRESET\n"]);
  assert.match(ended.stderr, /^1 connection: reset 1 \(seed 3, digest [\da-f]{16}\)$/m);
});

test("what was done is saved as a list, which does it again; what passed is captured", async (t) => {
  await using server = await echo();
  const folder = temporaryFolder(t);
  const [list, capture] = [join(folder, "storm.json"), join(folder, "storm.pcapng")];
  const addresses = ["proxy", "tcp://127.0.0.1:0", String(server.localAddress)];
  const faults = ["--slice", "2", "--seed", "7", "--save", list, "--capture", capture];
  const ended = await run(t, [...addresses, ...faults, "--", process.execPath, "-e", CLIENT("MAIN")]);
  assert.deepEqual([ended.code, ended.stdout], [7, "hola"]);
  assert.match(ended.stderr, /storm\.json: 1 fault$/m);
  const { seed, faults: saved } = parseSchedule(readFileSync(list, "utf8"));
  assert.deepEqual([seed, saved.map(({ kind, atMs }) => [kind, Math.floor(atMs / 1000)])], [7, [["slicing", 0]]]);
  const bytes = readFileSync(capture);
  assert.ok(bytes.includes("hola") && bytes.includes("slicing: passed on in 2 pieces"));
  // The fault ended with the run; here it lasts as long as a slower one may take.
  const longer = saved.map((fault) => ({ ...fault, lastsMs: 600_000 }));
  writeFileSync(list, formatSchedule({ format: 1, seed, faults: longer }));
  const again = await run(t, [...addresses, "--faults", list, "--", process.execPath, "-e", CLIENT("MAIN")]);
  assert.equal(again.stdout, "hola");
  assert.match(again.stderr, /slicing \d+ \(seed 7, digest [\da-f]{16}\)$/m);
});

test("a window that is closed ends the command as Ctrl-C does: it reports, and saves the list", async (t) => {
  const list = join(temporaryFolder(t), "storm.json");
  const proxy = start(t, ["proxy", "tcp://127.0.0.1:0", "127.0.0.1:9", "--latency", "5", "--save", list]);
  await proxy.tells(/^look at it: /m);
  proxy.child.kill("SIGHUP");
  const { code, stderr } = await proxy.ended;
  assert.equal(code, 0, stderr);
  assert.match(stderr, REPORT);
  assert.equal(parseSchedule(readFileSync(list, "utf8")).faults.length, 1);
});

test("a capture can be read when the command was killed", async (t) => {
  await using server = await echo();
  const file = join(temporaryFolder(t), "killed.pcapng");
  const proxy = start(t, ["proxy", "tcp://127.0.0.1:0", String(server.localAddress), "--capture", file]);
  const [, address = ""] = await proxy.tells(/^main: (\S+) ->/m);
  await using call = await connect(address);
  await call.write("hola");
  await call.readExactly(4);
  while (!readFileSync(file).includes("hola")) await new Promise((resolve) => setTimeout(resolve, 5));
  proxy.child.kill("SIGKILL");
  await proxy.ended;
  const bytes = readFileSync(file);
  // Each block says its length at both ends.
  let blocks = 0;
  for (let at = 0; at < bytes.length; blocks += 1) {
    const length = bytes.readUInt32LE(at + 4);
    assert.equal(bytes.readUInt32LE(at + length - 4), length);
    at += length;
  }
  assert.ok(blocks >= 6);
});

test("a program ends when its time is over", async (t) => {
  const program = "setInterval(() => undefined, 1000)";
  const flags = ["tcp://127.0.0.1:0", "127.0.0.1:9", "--for", "20"];
  assert.equal((await run(t, ["proxy", ...flags, "--", process.execPath, "-e", program])).code, 143);
});

test("a list from before stays as it is when the command cannot start", async (t) => {
  await using taken = await echo();
  const list = join(temporaryFolder(t), "storm.json");
  writeFileSync(list, "from before");
  const flags = ["--save", list, "--api", taken.localAddress.hostPort];
  const { code } = await run(t, ["proxy", "tcp://127.0.0.1:0", "127.0.0.1:9", ...flags]);
  assert.deepEqual([code, readFileSync(list, "utf8")], [1, "from before"]);
});

test("what makes no sense is told in one line, and nothing has started", async (t) => {
  const folder = temporaryFolder(t);
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const two = ["tcp://127.0.0.1:0", "127.0.0.1:9"];
  const proxies = file("some.json", '[{ "name": "a", "upstream": "127.0.0.1:9" }]');
  const shrunk = file("shrunk.json", JSON.stringify(SHRUNK));
  const crash = JSON.stringify({ format: 1, faults: [{ atMs: 0, lastsMs: 1, kind: "crash", host: "server" }] });
  const cases: readonly (readonly [args: readonly string[], told: RegExp])[] = [
    [[], /give LISTEN and UPSTREAM, or --config FILE/],
    [["tcp://127.0.0.1:0"], /give LISTEN and UPSTREAM/],
    [[...two, "more"], /give LISTEN and UPSTREAM/],
    [[...two, "--config", proxies], /leave LISTEN and UPSTREAM out/],
    [["--config", proxies, "--latency", "5"], /leave the options for faults out/],
    [["--config", join(folder, "none.json")], /cannot read/],
    [["--config", file("bad.json", "{")], /is no JSON/],
    [["--config", file("object.json", "{}")], /must be a list of proxies/],
    [["--config", file("field.json", '[{ "name": "a", "upstream": "127.0.0.1:9", "lag": 1 }]')], /proxies\[0\]\.lag/],
    [
      [
        "--config",
        file(
          "kind.json",
          '[{ "name": "a", "upstream": "udp://127.0.0.1:9", "faults": [{ "kind": "slicing", "from": "*", "to": "*", "averageBytes": 1 }] }]',
        ),
      ],
      /slicing/,
    ],
    [[...two, "--jitter", "5"], /--jitter changes --latency/],
    [[...two, "--loss", "2"], /from 0 to 1/],
    [["udp://127.0.0.1:0", "udp://127.0.0.1:9", "--cut", "5"], /cut/],
    [["tcp://127.0.0.1:0", "tcp://192.0.2.1:80"], /loopback; start with --expose if/],
    [["tcp://127.0.0.1:0", "tls://127.0.0.1:80"], /tcp:\/\/ instead of tls/],
    [[...two, "--api", "192.0.2.1:80"], /loopback/],
    [[...two, "--faults", file("bad-list.json", "{")], /bad-list\.json is no JSON/],
    [[...two, "--faults", shrunk], /has the hosts "alice", "bob".*say with --as client=NAME and --as server=NAME/],
    [[...two, "--faults", shrunk, "--as", "client=carol"], /has no host "carol"; it has "alice", "bob"/],
    [[...two, "--faults", shrunk, "--as", "proxy=alice"], /Give client=NAME or server=NAME/],
    [[...two, "--save", join(folder, "none", "x.json")], /cannot write .*none/],
    [[...two, "--capture", folder], /cannot write/],
    [[...two, "--as", "client=alice"], /--as names the hosts of --faults/],
    [[...two, "--faults", file("crash.json", crash)], /"crash" is no fault of a proxy/],
  ];
  for (const [args, told] of cases) {
    const { code, stderr } = await run(t, ["proxy", ...args]);
    assert.equal(code, 2, `${args.join(" ")}: ${stderr}`);
    assert.match(stderr, told);
    assert.equal(stderr.trimEnd().split("\n").length, 1, stderr);
  }
  const { code, stderr } = await run(t, ["proxy", ...two, "--", join(folder, "none")]);
  assert.equal(code, 1);
  assert.match(stderr, /PROGRAM: cannot start .*none/);
});

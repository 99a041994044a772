import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { connect } from "zocalo";
import { lines } from "zocalo/framing";
import { RunningProgram } from "../../cli/program.ts";
import { repositoryRoot } from "../../fixtures/repository-root.ts";
import { temporaryFolder } from "../../fixtures/temporary-folder.ts";

/* The files of the page about deployment agree with each other, and its program does what they expect of it. */

const FOLDER = join(repositoryRoot, "examples/deploy");
const read = (name: string): string => readFileSync(join(FOLDER, name), "utf8");

/** The number behind a name, in a program, a unit or a manifest. */
function numberOf(file: string, name: string): number {
  const found = new RegExp(`\\b${name}\\W+"?([\\d_]+)`).exec(read(file))?.[1];
  assert.ok(found !== undefined, `${file} has no ${name}`);
  return Number(found.replaceAll("_", ""));
}

interface Deployed {
  readonly program: RunningProgram;
  readonly address: string;
  readonly readyPort: string;
}

async function deploy(t: TestContext): Promise<Deployed> {
  const env = { ADDRESS: "tcp://127.0.0.1:0", READY_HOST: "127.0.0.1", READY_PORT: "0", DELAY_MS: "0" };
  const file = join(repositoryRoot, "build/examples/deploy/server.js");
  const program = new RunningProgram(t, process.execPath, [file], { env });
  const [, address = "", readyPort = ""] = await program.shows(/^serving (\S+), ready at .*port: (\d+)/m);
  return { program, address, readyPort };
}

async function statusOf({ readyPort }: Deployed): Promise<number> {
  return (await fetch(`http://127.0.0.1:${readyPort}/`)).status;
}

/** What a command says of a file; undefined where it is not installed. */
function check(command: string, args: readonly string[], input = ""): string | undefined {
  const { error, status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8", input });
  return error === undefined ? `exit ${status}\n${stdout}${stderr}` : undefined;
}

test("SIGTERM: the server is not ready any more, its client is served to the end, and the exit code is 0", async (t) => {
  const deployed = await deploy(t);
  const { program, address } = deployed;
  const call = (await connect(address)).framed(lines());
  await call.send("hola");
  assert.equal(await call.receive(), "HOLA");
  assert.equal(await statusOf(deployed), 200);

  program.child.kill("SIGTERM");
  assert.equal(await call.receive(), "goodbye");
  assert.equal(await statusOf(deployed), 503);
  await call.send("adiós");
  assert.equal(await call.receive(), "ADIÓS");
  program.child.kill("SIGTERM"); // supervisors send it more than once
  await call.close();
  const { code, stdout, stderr } = await program.ended;
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(stdout, /^the server is closed$/m);
});

test("the health check of the Dockerfile tells a server that answers from one that is gone", async (t) => {
  const [, script = ""] = /^HEALTHCHECK CMD (.+)$/m.exec(read("Dockerfile")) ?? [];
  const { program, address } = await deploy(t);
  const { bin } = JSON.parse(readFileSync(join(repositoryRoot, "package.json"), "utf8")) as { bin: { zocalo: string } };
  const installed = `"${process.execPath}" "${join(repositoryRoot, bin.zocalo)}"`;
  const command = script.replace("node_modules/.bin/zocalo", installed).replace("tcp://127.0.0.1:7000", address);
  assert.ok(command.includes(installed) && command.includes(address), command);
  const health = async (): Promise<number | null> =>
    (await new RunningProgram(t, "sh", ["-c", command], { input: null }).ended).code;
  assert.equal(await health(), 0);
  program.child.kill("SIGTERM");
  await program.ended;
  assert.notEqual(await health(), 0);
});

test("every file sends a signal that the program handles, and waits longer than the program does", () => {
  assert.match(read("server.ts"), /^closeOnSignals\(server, \{ (?!.*signals:)/m);
  const handled = ["SIGTERM", "SIGINT"]; // by default
  for (const [file, pattern] of [
    ["Dockerfile", /^STOPSIGNAL (\w+)$/m],
    ["shout.service", /^KillSignal=(\w+)$/m],
  ] as const) {
    const sent = pattern.exec(read(file))?.[1] ?? "";
    assert.ok(handled.includes(sent) && sent in constants.signals, `${file} sends ${sent}`);
  }
  const longest = (numberOf("server.ts", "DELAY_MS") + numberOf("server.ts", "timeoutMs")) / 1_000;
  assert.ok(numberOf("shout.service", "TimeoutStopSec") > longest);
  assert.ok(numberOf("kubernetes.yaml", "terminationGracePeriodSeconds") > longest);
});

test("every file names the ports of the program", () => {
  const [, port = ""] = /ADDRESS = "tcp:\/\/\[::\]:(\d+)"/.exec(read("server.ts")) ?? [];
  assert.match(port, /^\d+$/);
  assert.equal(numberOf("Dockerfile", "EXPOSE"), Number(port));
  assert.equal(numberOf("kubernetes.yaml", "containerPort"), Number(port));
  assert.match(read("kubernetes.yaml"), new RegExp(`^    - port: ${port}$`, "m"));
  assert.equal(numberOf("shout.socket", "ListenStream"), Number(port));
  assert.match(read("Dockerfile"), new RegExp(`tcp://127\\.0\\.0\\.1:${port} `));
  assert.match(read("kubernetes.yaml"), new RegExp(`httpGet: .*port: ${numberOf("server.ts", "READY_PORT")} }`));
});

test("balancers notice a server that drains before it closes, and end no session that is silent", () => {
  const delaySeconds = numberOf("server.ts", "DELAY_MS") / 1_000;
  assert.ok(
    numberOf("kubernetes.yaml", "periodSeconds") * numberOf("kubernetes.yaml", "failureThreshold") < delaySeconds,
  );
  assert.ok(numberOf("haproxy.cfg", "inter") * numberOf("haproxy.cfg", "fall") < delaySeconds);
  // The heartbeat of sessions.
  for (const name of ["timeout client", "timeout server"]) assert.ok(numberOf("haproxy.cfg", name) > 15);
  assert.ok(numberOf("nginx.conf", "proxy_timeout") > 15);
  assert.equal(numberOf("haproxy.cfg", "check port"), numberOf("server.ts", "READY_PORT"));
});

test("the manifest is YAML", (t) => {
  const program = "import sys, yaml; print([part['kind'] for part in yaml.safe_load_all(sys.stdin)])";
  const said = check("python3", ["-c", program], read("kubernetes.yaml"));
  if (said === undefined || said.includes("No module named 'yaml'")) return t.skip("no python3 with yaml");
  assert.equal(said, "exit 0\n['Deployment', 'Service']\n");
});

test("systemd accepts the units", (t) => {
  const folder = temporaryFolder(t);
  // The unit names a Node, a folder and a user of another machine.
  const unit = read("shout.service")
    .replace("/usr/bin/node", process.execPath)
    .replace("WorkingDirectory=/srv/shout", `WorkingDirectory=${folder}`);
  writeFileSync(join(folder, "shout.service"), unit);
  writeFileSync(join(folder, "shout.socket"), read("shout.socket"));
  const said = check("systemd-analyze", ["verify", join(folder, "shout.service"), join(folder, "shout.socket")]);
  if (said === undefined) return t.skip("no systemd-analyze");
  assert.equal(said, "exit 0\n");
});

test("socket activation: the program serves the socket that systemd has opened", async (t) => {
  if (check("systemd-socket-activate", ["--version"]) === undefined) return t.skip("no systemd-socket-activate");
  const path = join(temporaryFolder(t), "shout.sock");
  const file = join(repositoryRoot, "build/examples/deploy/server.js");
  const settings = [`ADDRESS=unix:${path}`, "READY_HOST=127.0.0.1", "READY_PORT=0", "DELAY_MS=0"];
  const args = ["-l", path, ...settings.flatMap((setting) => ["-E", setting]), process.execPath, file];
  const program = new RunningProgram(t, "systemd-socket-activate", args);
  await program.tells(/Listening on/);
  const call = (await connect(`unix:${path}`)).framed(lines());
  await call.send("hola");
  assert.equal(await call.receive(), "HOLA");
  await call.close();
  program.child.kill("SIGTERM");
  assert.equal((await program.ended).code, 0);
});

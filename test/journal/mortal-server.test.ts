import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { connectSession } from "zocalo/protocol";
import { repositoryRoot } from "../fixtures/repository-root.ts";
import { mortal } from "./mortal-contract.ts";

/* Processes that die of a message, with their sessions in a file: another one goes on, and knows when it is enough. */

const PROGRAM = join(repositoryRoot, "build/test/journal/mortal-server.js");

/** Starts servers at one port, one when the other has died. */
class Mortals {
  deaths = 0;
  readonly told: string[] = [];
  readonly port: Promise<number>;
  readonly #path: string;
  #isOver = false;
  #child: ChildProcess | undefined;

  constructor(path: string) {
    this.#path = path;
    this.port = new Promise((resolve) => this.#start("0", (port) => resolve(Number(port))));
  }

  #start(port: string, ready: (port: string) => void): void {
    const child = spawn(process.execPath, [PROGRAM, this.#path, port], { stdio: ["ignore", "pipe", "inherit"] });
    this.#child = child;
    let own = port;
    createInterface({ input: child.stdout }).on("line", (line) => {
      const [what, value = ""] = line.split(" ");
      if (what === "told") this.told.push(value);
      else ready((own = value));
    });
    child.on("exit", (code) => {
      if (this.#isOver) return;
      if (code === 7) this.deaths += 1;
      this.#start(own, () => undefined);
    });
  }

  end(): void {
    this.#isOver = true;
    this.#child?.kill("SIGKILL");
  }
}

test("messages that end processes: once for a call at most once, three times for others, and the session lives", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "zocalo-mortal-"));
  const servers = new Mortals(join(folder, "sessions"));
  t.after(() => {
    servers.end();
    rmSync(folder, { recursive: true, force: true });
  });
  const session = await connectSession(mortal, `tcp://127.0.0.1:${await servers.port}`, {
    timeouts: { callMs: 60_000 },
    reconnect: { initialDelayMs: 50, maxDelayMs: 200 },
  });
  t.after(() => session.abort());
  const { id } = session;
  assert.equal(await session.remote.pay("five"), "five");
  await assert.rejects(session.remote.pay("die"), { code: "SESSION_MOVED", outcome: "unknown" });
  assert.equal(servers.deaths, 1);
  await assert.rejects(session.remote.ask("die"), { code: "INTERNAL" });
  assert.equal(servers.deaths, 4);
  await session.remote.note("die");
  assert.equal(await session.remote.ask("behind"), "behind");
  assert.equal(servers.deaths, 7);
  assert.equal(session.id, id);
  assert.deepEqual(servers.told, ["INTERNAL", "INTERNAL"]);
});

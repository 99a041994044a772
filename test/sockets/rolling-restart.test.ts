/** A program in workers is restarted under a stream of clients, and nobody is refused or reset (examples/rolling). */

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { connect, type ConnectOptions, type ZocaloError } from "../../src/index.ts";
import { connectSession } from "../../src/protocol.ts";
import { textToEnd } from "../../src/testing/stream/check.ts";
import { RunningProgram } from "../cli/program.ts";
import { testCertificates } from "../fixtures/certificates.ts";
import { nextTurn } from "../fixtures/gate.ts";
import { freePort } from "../fixtures/programs.ts";
import { repositoryRoot } from "../fixtures/repository-root.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { asked } from "./rolling-contract.ts";

const PRIMARY = join(repositoryRoot, "build/examples/rolling/primary.js");
const PROGRAM = fileURLToPath(new URL("rolling-program.js", import.meta.url));
const posix = { skip: process.platform === "win32" };
/** Each kind asks so often at most, so that a restart that never ends is none that lasts. */
const MOST = 20_000;
const SESSIONS = 5;

test(
  "a rolling restart under a stream of clients: none is refused, none is reset, all are answered",
  posix,
  async (t) => {
    const { authority, server } = await testCertificates();
    const unix = `unix:${join(temporaryFolder(t), "rolling.sock")}`;
    const [tcp, tls, sessions] = await Promise.all([freePort(), freePort(), freePort()]);
    const kinds: readonly (readonly [address: string, options: ConnectOptions])[] = [
      [`tcp://127.0.0.1:${tcp}`, {}],
      [`tls://127.0.0.1:${tls}`, { tls: { ca: authority.cert, servername: "localhost" } }],
      [unix, {}],
    ];
    const [TCP = "", TLS = "", UNIX = ""] = kinds.map(([address]) => address);
    const SESSION_ADDRESS = `tcp://127.0.0.1:${sessions}`;
    const env = { TCP, TLS, UNIX, SESSIONS: SESSION_ADDRESS, CERT: server.cert, KEY: server.key };
    const primary = new RunningProgram(t, process.execPath, [PRIMARY, PROGRAM, "2"], { env });
    await primary.shows(/2 workers serve/);

    const seen = kinds.map(() => new Set<string>());
    const over = new AbortController();
    const stream = async ([address, options]: (typeof kinds)[number], pids: Set<string>): Promise<void> => {
      for (let count = 0; count < MOST && !over.signal.aborted; count += 1) {
        const call = await connect(address, options);
        await call.write("who?\n");
        pids.add(await textToEnd(call));
        await call.close();
      }
    };
    const told = new Set<string>();
    const clients = await Promise.all(Array.from({ length: SESSIONS }, () => connectSession(asked, SESSION_ADDRESS)));
    t.after(() => clients.forEach((session) => session.abort()));
    const talk = async (session: (typeof clients)[number]): Promise<void> => {
      while (!over.signal.aborted) {
        // What a server that leaves did not take is asked again.
        await session.remote.who().then(
          (pid) => told.add(pid),
          (error: unknown) => assert.equal((error as ZocaloError).outcome, "none", String(error)),
        );
        await nextTurn();
      }
    };
    const newcomers = async (): Promise<void> => {
      for (let count = 0; count < MOST && !over.signal.aborted; count += 1) {
        const session = await connectSession(asked, SESSION_ADDRESS, { reconnect: false });
        await session.close();
      }
    };
    t.after(() => over.abort());
    const all = Promise.all([
      ...kinds.map((kind, index) => stream(kind, seen[index] as Set<string>)),
      ...clients.map(talk),
      newcomers(),
    ]);
    const failed = all.then(() => assert.fail("the clients are done before the restarts"));

    for (const restarts of [1, 2]) {
      primary.child.kill("SIGHUP");
      await Promise.race([primary.shows(new RegExp(`(restarted\\s+){${restarts}}`)), failed]);
    }
    failed.catch(() => undefined);
    over.abort();
    await all;
    for (const pids of seen) assert.ok(pids.size >= 3 && !pids.has(""), [...pids].join(" "));
    assert.ok(told.size >= 2, [...told].join(" "));

    primary.child.kill("SIGTERM");
    const { code, stderr } = await primary.ended;
    assert.deepEqual([code, stderr], [0, ""]);
  },
);

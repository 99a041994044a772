/** A rolling restart with a journal: sessions go on in the next worker, and count right (examples/rolling, examples/rolling-sessions). */

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { connectSession } from "../../src/protocol.ts";
import { counter } from "../../examples/rolling-sessions/contract.ts";
import { RunningProgram } from "../cli/program.ts";
import { freePort } from "../fixtures/programs.ts";
import { repositoryRoot } from "../fixtures/repository-root.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

const EXAMPLES = join(repositoryRoot, "build/examples");
const SESSIONS = 5;

test("a rolling restart with a journal: no session is lost, no call fails, and each counts on", {
  skip: process.platform === "win32",
}, async (t) => {
  const ADDRESS = `tcp://127.0.0.1:${await freePort()}`;
  const JOURNAL = join(temporaryFolder(t), "sessions.db");
  const program = [join(EXAMPLES, "rolling/primary.js"), join(EXAMPLES, "rolling-sessions/counter.js"), "2"];
  const primary = new RunningProgram(t, process.execPath, program, { env: { ADDRESS, JOURNAL } });
  await primary.shows(/2 workers serve/);

  const reasons: string[] = [];
  const resumes = new Set<number>();
  const sessions = await Promise.all(
    Array.from({ length: SESSIONS }, (_, index) =>
      connectSession(counter, ADDRESS, {
        onReady: (_session, { reason }) => reasons.push(reason),
        onResume: () => resumes.add(index),
      }),
    ),
  );
  t.after(() => sessions.forEach((session) => session.abort()));
  const state = { isOver: false };
  const counting = sessions.map(async (session) => {
    for (let expected = 1; !state.isOver; expected += 1) assert.equal(await session.remote.count(), expected);
  });
  const failed = Promise.all(counting).then(() => assert.fail("the clients are done before the restarts"));
  for (const restarts of [1, 2]) {
    primary.child.kill("SIGHUP");
    await Promise.race([primary.shows(new RegExp(`(restarted\\s+){${restarts}}`)), failed]);
  }
  failed.catch(() => undefined);
  state.isOver = true;
  await Promise.all(counting);
  assert.deepEqual(
    reasons,
    Array.from({ length: SESSIONS }, () => "first"),
  );
  assert.equal(resumes.size, SESSIONS);
  await Promise.all(sessions.map((session) => session.close()));

  primary.child.kill("SIGTERM");
  const { code, stderr } = await primary.ended;
  assert.deepEqual([code, stderr], [0, ""]);
});

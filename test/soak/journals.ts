/**
 * A journal in a file, whose writing process is killed again and again: nothing that was acknowledged may be lost.
 *
 * `SOAK_KILLS` (1000) rounds, `SOAK_SEED` (1).
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { killRounds } from "../fixtures/journal-kills.ts";
import { countOf } from "./outcome.ts";

const folder = mkdtempSync(join(tmpdir(), "zocalo-"));
try {
  const rounds = countOf("SOAK_KILLS", 1_000);
  await killRounds(join(folder, "sessions.journal"), rounds, countOf("SOAK_SEED", 1));
  console.log(`${rounds} processes were killed while they wrote; nothing is lost, doubled or turned`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Files with simulations, for tests of the command. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { repositoryRoot } from "../fixtures/repository-root.ts";

/** A program that books an order twice, with some seeds. */
export const FILE: string = join(repositoryRoot, "build/examples/sim/retried-order.js");

/** A folder for the time of a test. */
export function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "zocalo-sim-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A file with a program of its own; `simulation` is imported. */
export function fileWith(t: TestContext, text: string, name = "program.mjs"): string {
  const path = join(folder(t), name);
  const entry = JSON.stringify(join(repositoryRoot, "dist/sim.js"));
  writeFileSync(path, `import { simulation } from ${entry};\n${text}\n`);
  return path;
}

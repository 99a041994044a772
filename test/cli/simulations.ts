/** Files with simulations, for tests of the command. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { repositoryRoot } from "../fixtures/repository-root.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

/** A program that books an order twice, with some seeds. */
export const FILE: string = join(repositoryRoot, "build/examples/sim/retried-order.js");

/** A file with a program of its own; `simulation` is imported. */
export function fileWith(t: TestContext, text: string, name = "program.mjs"): string {
  const path = join(temporaryFolder(t), name);
  const entry = JSON.stringify(join(repositoryRoot, "dist/sim.js"));
  writeFileSync(path, `import { simulation } from ${entry};\n${text}\n`);
  return path;
}

/** Files with contracts, for tests of the command. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { repositoryRoot } from "../fixtures/repository-root.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

/** A module with `text`, for which everything of `zocalo/protocol` that it may need is imported, and zod as `z`. */
export function contractFile(t: TestContext, text: string): string {
  const path = join(temporaryFolder(t), "contract.mjs");
  const entry = JSON.stringify(join(repositoryRoot, "dist/protocol.js"));
  const zod = JSON.stringify(join(repositoryRoot, "node_modules/zod/index.js"));
  const names = "bytes, call, contract, event, stream, typeOnly";
  writeFileSync(path, `import { ${names} } from ${entry};\nimport { z } from ${zod};\n${text}\n`);
  return path;
}

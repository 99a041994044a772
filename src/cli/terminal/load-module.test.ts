import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { run } from "../../../test/cli/program.ts";
import { fileWith } from "../../../test/cli/simulations.ts";
import { repositoryRoot } from "../../../test/fixtures/repository-root.ts";

test("files that are no simulations are refused with one line", async (t) => {
  const wrong: readonly (readonly [file: string, line: RegExp, code: number])[] = [
    ["/no/such.mjs", /^zocalo: PATH_NOT_FOUND \/no\/such\.mjs: there is no such file\n$/, 1],
    [join(repositoryRoot, "README.md"), /^zocalo: FILE_UNSUPPORTED \S+: name a module/, 1],
    [fileWith(t, "export default 3;"), /^zocalo: OPTION_INVALID: .* write `export default simulation/, 2],
    [fileWith(t, "export const other = simulation({}, async () => {});"), /it has: other; choose one with --export/, 2],
    [fileWith(t, "throw new Error('of the file');"), /^zocalo: FILE_UNSUPPORTED: .* cannot be loaded: of the file/, 1],
    // Node itself prints more here.
    [fileWith(t, "throw undefined;"), /^zocalo: FILE_UNSUPPORTED: .* cannot be loaded: undefined\n$/m, 1],
  ];
  for (const command of ["run", "hunt"]) {
    for (const [file, line, expected] of wrong) {
      const { code, stderr, stdout } = await run(t, ["sim", command, file]);
      assert.match(stderr, line);
      assert.deepEqual([code, stdout], [expected, ""]);
    }
  }
});

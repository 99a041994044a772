// The TypeScript sources of the repository and where their compiled form is. Used by the other tools.
import { existsSync, readdirSync } from "node:fs";
import { bundlePages } from "./pages.mjs";
import { root, runOrExit } from "./run-command.mjs";

/**
 * The sources below `folders` whose path ends with `ending`, as `src/core/errors.test.ts`, sorted.
 * Outputs are derived from this list and never listed from build/, so that the output of a deleted source is not run.
 */
export function sources(folders, ending) {
  return folders
    .filter((folder) => existsSync(root + folder))
    .flatMap((folder) =>
      readdirSync(root + folder, { recursive: true }).map((path) => `${folder}/${path.replaceAll("\\", "/")}`),
    )
    .filter((path) => path.endsWith(ending))
    .sort();
}

/** `src/core/errors.test.ts` gives `build/src/core/errors.test.js`. */
export function outputOf(source) {
  return `build/${source.replace(/\.ts$/, ".js")}`;
}

/** Builds dist/ and then compiles everything to build/. An error of the types ends this program. */
export async function compileAll() {
  // First dist: tests, examples and benchmarks import the package by its own name, which leads there.
  await runOrExit(process.execPath, ["tools/build.mjs"]);
  const projects = { "tsconfig.json": ".tsbuildinfo", "src/page/tsconfig.json": ".page.tsbuildinfo" };
  for (const [project, info] of Object.entries(projects)) {
    await runOrExit("tsc", ["-p", project, "--incremental", "--tsBuildInfoFile", `build/${info}`]);
  }
  await bundlePages(`${root}build/src/page`);
}

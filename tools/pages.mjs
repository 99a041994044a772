// Bundles the pages of src/page into one script and one style sheet each, with the licences of what goes along.
import { build } from "esbuild";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { root } from "./run-command.mjs";

/** The pages: the folders of src/page that have a main.ts. */
const PAGES = readdirSync(`${root}src/page`).filter((name) => existsSync(`${root}src/page/${name}/main.ts`));
/** What their bundles contain of other projects. */
const PACKAGES = ["htm", "preact", "uplot"];

/** Writes the pages to a folder. */
export async function bundlePages(folder) {
  await build({
    absWorkingDir: root,
    entryPoints: Object.fromEntries(PAGES.map((name) => [name, `src/page/${name}/main.ts`])),
    outdir: folder,
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    charset: "utf8",
    legalComments: "none",
    logLevel: "warning",
  });
  const licences = PACKAGES.map((name) => `${name}\n\n${readFileSync(`${root}node_modules/${name}/LICENSE`, "utf8")}`);
  writeFileSync(`${folder}/LICENSES`, licences.join("\n\n----\n\n"));
}

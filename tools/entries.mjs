// The entry points of the package, from the exports map of package.json. Used by the other tools.
import { readFileSync } from "node:fs";
import { root } from "./run-command.mjs";

/** package.json, parsed. */
export const manifest = JSON.parse(readFileSync(`${root}package.json`, "utf8"));

/**
 * `{ ".": { types: "./dist/index.d.ts" }, "./framing": ... }` gives `[{ name: "index", specifier: "zocalo",
 * types: "dist/index.d.ts" }, { name: "framing", specifier: "zocalo/framing", ... }]`. Files like `./package.json`, which
 * have no types, are left out.
 */
export const entries = Object.entries(manifest.exports)
  .filter(([, target]) => typeof target === "object")
  .map(([subpath, target]) => ({
    name: subpath === "." ? "index" : subpath.slice(2).replaceAll("/", "-"),
    specifier: subpath === "." ? manifest.name : `${manifest.name}/${subpath.slice(2)}`,
    types: target.types.replace(/^\.\//, ""),
  }));

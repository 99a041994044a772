// npm run lock [-- --check]
//
// Completes the lock files. Tools that ship one package per platform (typescript, biome, oxlint, deno, ...) name them as
// optional dependencies. npm leaves out of the lock file those that it did not find while it wrote it, and `npm ci` then
// refuses the whole file ("Missing: ... from lock file"). This tool adds an entry for each: name, exact version, `os`,
// `cpu` and `libc` as the name of the package says, without a checksum. Run it after every `npm install`.
//
// With --check nothing is written: exit 1 if an entry is missing.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const check = process.argv.includes("--check");
const lockFiles = ["../package-lock.json", "./runtimes/package-lock.json", "../bench/peers/package-lock.json"];

/** What the words in a platform package's name say; any other word says nothing. */
const words = {
  os: ["aix", "android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "openharmony", "sunos", "win32"],
  cpu: ["arm", "arm64", "ia32", "loong64", "mips64el", "ppc64", "riscv64", "s390x", "wasm32", "x64"],
  libc: ["glibc", "musl"],
};
const aliases = { aarch64: "arm64", windows: "win32", gnu: "glibc" };

/** `@oxlint/binding-linux-x64-musl` gives `{ os: ["linux"], cpu: ["x64"], libc: ["musl"] }`. */
function platformOf(name) {
  const platform = {};
  for (const raw of name.split("/").pop().split("-")) {
    // Rust's names of the ABI hide two words: gnueabihf, musleabihf (both arm, 32 bits), eabi (Android).
    const word = aliases[raw] ?? raw.replace(/^gnueabi(hf)?$/, "glibc").replace(/^musleabi(hf)?$/, "musl");
    for (const [field, known] of Object.entries(words)) if (known.includes(word)) platform[field] = [word];
  }
  if (platform.os?.[0] !== "linux") delete platform.libc;
  return platform;
}

/** Entries that `npm ci` will ask for: optional dependencies with an exact version and no entry anywhere. */
function missingEntries(packages) {
  const missing = {};
  for (const entry of Object.values(packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      const found = Object.keys(packages).some((path) => path.endsWith(`node_modules/${name}`));
      const platform = platformOf(name);
      if (found || platform.os === undefined || !/^\d+\.\d+\.\d+/.test(version)) continue;
      const { dev, license, engines } = entry;
      const { os, cpu, libc } = platform;
      // The order of the fields is npm's own, so that npm rewrites nothing.
      missing[`node_modules/${name}`] = { version, cpu, dev, libc, license, optional: true, os, engines };
    }
  }
  return missing;
}

let failed = false;
for (const relative of lockFiles) {
  const url = new URL(relative, import.meta.url);
  const lock = JSON.parse(readFileSync(url, "utf8"));
  const missing = missingEntries(lock.packages);
  const names = Object.keys(missing);
  if (names.length === 0) continue;
  if (check) {
    console.error(`${fileURLToPath(url)} lacks ${names.length} platform packages; run npm run lock`);
    failed = true;
    continue;
  }
  const entries = Object.entries({ ...lock.packages, ...missing }).sort(([a], [b]) => a.localeCompare(b, "en"));
  lock.packages = Object.fromEntries(entries);
  writeFileSync(url, `${JSON.stringify(lock, null, 2)}\n`);
  console.log(`${fileURLToPath(url)}: added ${names.join(", ")}`);
}
process.exitCode = failed ? 1 : 0;

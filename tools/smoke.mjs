// npm run smoke [-- runtime...]
//
// Packs the package, installs the tarball into an empty folder as a user would, and runs each program of tools/smoke on
// each runtime: the Node that runs this tool, the newest Node, Bun and Deno (installed from tools/runtimes, exact versions
// and lock file there). The oldest TypeScript that the package supports then compiles tools/smoke/consumer.mts against it.
// With words only what has those names: node, newest, bun, deno, typescript.
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { manifest } from "./entries.mjs";
import { root, run, runOrExit } from "./run-command.mjs";
import { bin, installRuntimes, runtimesFolder } from "./runtimes.mjs";
import { generate } from "selfsigned";

/** A smoke program says what it has to say at once; longer means that it hangs. */
const PROGRAM_TIMEOUT_MS = 30_000;
/** Downloads of 150 MB and more. */
const INSTALL_TIMEOUT_MS = 300_000;

/** Name, command, arguments before the program, environment. */
const runtimes = [
  { name: "node", command: process.execPath, args: [] },
  { name: "newest", command: bin("node"), args: [] },
  { name: "bun", command: bin("bun"), args: [] },
  { name: "deno", command: bin("deno"), args: ["run", "--quiet", "--allow-all"], env: { DENO_NO_UPDATE_CHECK: "1" } },
];

/** Packs the built package and installs it, with its dependencies, into `folder`. */
async function installPackage(folder) {
  await runOrExit(process.execPath, ["tools/build.mjs"]);
  const packed = await run("npm", ["pack", "--ignore-scripts", "--pack-destination", folder]);
  const tarball = readdirSync(folder).find((file) => file.endsWith(".tgz"));
  if (!packed.ok || tarball === undefined) {
    console.error(packed.output);
    process.exit(1);
  }
  const dependencies = { [manifest.name]: `file:./${tarball}` };
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "module", dependencies }));
  const installed = await run("npm", ["install", "--no-audit", "--no-fund"], {
    cwd: folder,
    timeoutMs: INSTALL_TIMEOUT_MS,
  });
  // A user who sees a warning asks what is wrong.
  if (!installed.ok || /\bwarn\b/i.test(installed.output)) {
    console.error(installed.output);
    process.exit(1);
  }
  const { version } = JSON.parse(readFileSync(join(folder, "node_modules", manifest.name, "package.json"), "utf8"));
  console.log(`installed ${tarball}: ${manifest.name} ${version}`);
}

/** A certificate for one name, and its key: what tools/smoke/tls.mjs needs, and the packed package does not bring. */
async function identity(name, altName) {
  const extensions = [{ name: "subjectAltName", altNames: [altName] }];
  const made = await generate([{ name: "commonName", value: name }], {
    keyType: "ec",
    algorithm: "sha256",
    extensions,
  });
  return { cert: made.cert, key: made.private };
}

/** Compiles a program of a user, with every declaration file of the package; TypeScript comes from tools/runtimes. */
function compileConsumer(folder) {
  const strict = ["--strict", "--exactOptionalPropertyTypes", "--noEmit"];
  const language = ["--module", "nodenext", "--target", "es2022", "--lib", "es2023,esnext.disposable"];
  const types = ["--types", "node", "--typeRoots", `${runtimesFolder}/node_modules/@types`];
  return run(bin("tsc"), [...strict, ...language, ...types, "smoke/consumer.mts"], { cwd: folder });
}

const words = process.argv.slice(2);
const isWanted = (name) => words.length === 0 || words.includes(name);
const wanted = runtimes.filter(({ name }) => isWanted(name));
const folder = mkdtempSync(join(tmpdir(), "zocalo-smoke-"));
let failed = 0;
const outputs = new Map();
try {
  if (words.length !== 1 || words[0] !== "node") await installRuntimes();
  await installPackage(folder);
  cpSync(`${root}tools/smoke`, join(folder, "smoke"), { recursive: true });
  const home = await identity("home", { type: 7, ip: "127.0.0.1" });
  const shop = await identity("shop.example", { type: 2, value: "shop.example" });
  writeFileSync(join(folder, "smoke/identities.json"), JSON.stringify({ home, shop }));
  const programs = readdirSync(join(folder, "smoke")).filter((file) => file.endsWith(".mjs"));
  for (const { name, command, args, env = {} } of wanted) {
    const { output: version } = await run(command, ["--version"], { env });
    for (const program of programs) {
      const options = { cwd: folder, env, timeoutMs: PROGRAM_TIMEOUT_MS };
      const { ok: ended, output, seconds } = await run(command, [...args, `smoke/${program}`], options);
      // What ends with `.same.mjs` prints the same everywhere.
      const expected = program.endsWith(".same.mjs") ? (outputs.get(program) ?? output) : output;
      outputs.set(program, expected);
      const ok = ended && output === expected;
      if (!ok) failed += 1;
      console.log(
        `\n${ok ? "ok    " : "FAILED"}  ${name} (${version.split("\n")[0]}) ${program} ${seconds.toFixed(1)} s`,
      );
      console.log(output.trimEnd());
    }
  }
  if (isWanted("typescript")) {
    const { output: version } = await run(bin("tsc"), ["--version"]);
    const { ok, output, seconds } = await compileConsumer(folder);
    if (!ok) failed += 1;
    console.log(`\n${ok ? "ok    " : "FAILED"}  typescript (${version.trim()}) consumer.mts ${seconds.toFixed(1)} s`);
    if (!ok) console.log(output.trimEnd());
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = failed === 0 ? 0 : 1;

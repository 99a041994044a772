// npm run build
//
// Makes dist/, the published form of the package, from src/ (without the tests) with tsc; the pages are bundled (tools/pages.mjs).
// The part of msgpackr that the package uses goes along (docs/decisions/0034-msgpackr-goes-along.md).
import { chmodSync, cpSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { bundlePages } from "./pages.mjs";
import { root, runOrExit } from "./run-command.mjs";

/** The entry of msgpackr without its native addon, what that imports, and the licence. */
const MSGPACKR = ["index.js", "pack.js", "unpack.js", "iterators.js", "LICENSE"];
const USER_OF_MSGPACKR = `${root}dist/core/framing/formats/msgpack.js`;

rmSync(`${root}dist`, { recursive: true, force: true });
await runOrExit("tsc", ["-p", "tsconfig.build.json"]);

const command = `${root}dist/cli/main.js`;
if (existsSync(command)) chmodSync(command, 0o755);

for (const file of MSGPACKR) cpSync(`${root}node_modules/msgpackr/${file}`, `${root}dist/msgpackr/${file}`);
const compiled = readFileSync(USER_OF_MSGPACKR, "utf8");
const linked = compiled.replace('from "msgpackr/pack"', 'from "../../../msgpackr/index.js"');
if (linked === compiled) throw new Error(`${USER_OF_MSGPACKR} does not import msgpackr/pack`);
writeFileSync(USER_OF_MSGPACKR, linked);

await bundlePages(`${root}dist/page`);

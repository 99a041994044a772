// npm run build
//
// Makes dist/, the published form of the package, from src/ (without the tests) with tsc and nothing else.
import { chmodSync, existsSync, rmSync } from "node:fs";
import { root, runOrExit } from "./run-command.mjs";

rmSync(`${root}dist`, { recursive: true, force: true });
await runOrExit("tsc", ["-p", "tsconfig.build.json"]);

const command = `${root}dist/cli/main.js`;
if (existsSync(command)) chmodSync(command, 0o755);

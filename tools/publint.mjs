// node tools/publint.mjs
//
// publint, with one exception: the field `repository` has the project's name, because the repository has no public address.
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { manifest } from "./entries.mjs";
import { root } from "./run-command.mjs";

const { messages } = await publint({ pkgDir: root, strict: true });
const problems = messages.filter(({ code }) => code !== "INVALID_REPOSITORY_VALUE");
for (const problem of problems) console.log(formatMessage(problem, manifest));
process.exitCode = problems.length === 0 ? 0 : 1;

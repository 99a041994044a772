import assert from "node:assert/strict";
import { test } from "node:test";
import { runToEnd } from "../fixtures/processes.ts";
import { repositoryRoot } from "../fixtures/repository-root.ts";

/** A journal in a process that does not find its packages. */
interface Case {
  readonly entry: string;
  readonly make: string;
  readonly missing: string;
  readonly detail: RegExp;
}

const NATS = "@nats-io/transport-node @nats-io/jetstream";
const CASES: readonly Case[] = [
  {
    entry: "journal-file",
    make: `fileJournal({ path: "never-made" })`,
    missing: "lmdb",
    detail: /^fileJournal needs the package lmdb: npm install lmdb \(.*lmdb/,
  },
  {
    entry: "journal-redis",
    make: `redisJournal({ url: "redis://127.0.0.1:1", name: "a" })`,
    missing: "redis",
    detail: /^redisJournal needs the package redis: npm install redis \(.*redis/,
  },
  ...NATS.split(" ").map((missing) => ({
    entry: "journal-nats",
    make: `natsJournal({ servers: ["127.0.0.1:1"], name: "a" })`,
    missing,
    detail: new RegExp(
      `^natsJournal needs the packages ${NATS.replace(" ", " and ")}: npm install ${NATS} \\(.*${missing}`,
    ),
  })),
];

function dataUrl(program: string): string {
  return `data:text/javascript,${encodeURIComponent(program)}`;
}

/** Lets a package be as one that was never installed. */
function without(missing: string): string {
  const hook = `
export async function resolve(specifier, context, next) {
  if (specifier !== ${JSON.stringify(missing)}) return next(specifier, context);
  return next(specifier, { ...context, parentURL: "file:///" });
}`;
  return dataUrl(`import { register } from "node:module"; register(${JSON.stringify(dataUrl(hook))});`);
}

for (const { entry, make, missing, detail } of CASES) {
  test(`zocalo/${entry} without ${missing} says what to install`, async () => {
    const program = `
import * as journals from "zocalo/${entry}";
const { ${make.slice(0, make.indexOf("("))}: make } = journals;
const journal = make${make.slice(make.indexOf("("))};
const error = await journal.open({ keptMs: 1_000 }).catch((reason) => reason);
const after = await journal.read("ana").catch((reason) => reason);
console.log(JSON.stringify([error.name, error.code, error.op, error.side, error.detail, error.cause?.code, after.code]));
await journal.close();`;
    const args = ["--no-deprecation", "--import", without(missing), "--input-type=module", "--eval", program];
    const ended = await runToEnd(process.execPath, args, { cwd: repositoryRoot, timeoutMs: 60_000 });
    assert.equal(ended.exitCode, 0, ended.output);
    const [name, code, op, side, said, cause, after] = JSON.parse(ended.output) as readonly string[];
    assert.deepEqual(
      [name, code, op, side, cause, after],
      ["ZocaloError", "UNSUPPORTED", "open", "local", "ERR_MODULE_NOT_FOUND", "JOURNAL_UNAVAILABLE"],
    );
    assert.match(said ?? "", detail);
  });
}

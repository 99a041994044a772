/**
 * The tests of errors are many files: the tables in test/sockets/errors, the suites of src/testing, and tests beside the sources.
 * This one shows what they cover: each code is expected by some test, each public operation stands in one of the tables.
 */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { errorCodes } from "../../src/core/errors.ts";
import { repositoryRoot } from "../fixtures/repository-root.ts";

/** The text of every file below a folder whose name ends so. */
function texts(folder: string, ...endings: readonly string[]): string[] {
  return readdirSync(join(repositoryRoot, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => endings.some((ending) => path.endsWith(ending)))
    .filter((path) => !path.endsWith("errors.test.ts"))
    .map((path) => readFileSync(join(repositoryRoot, folder, path), "utf8"));
}

test("each code is expected by a test", () => {
  const tests = [...texts("test", ".ts"), ...texts("src", ".test.ts"), ...texts("src/testing", ".ts")].join("\n");
  assert.deepEqual(
    errorCodes.filter((code) => !new RegExp(`\\b${code}\\b`).test(tests)),
    [],
  );
});

/** What a program can call that may fail, by the interface that has it; the functions of the package first. */
const CONTRACTS: readonly (readonly [file: string, interfaceName: string])[] = [
  ["src/io/stream/public.ts", "StreamSocket"],
  ["src/io/stream/public.ts", "FramedStream"],
  ["src/io/listener/public.ts", "Listener"],
  ["src/io/listener/public.ts", "Server"],
  ["src/io/datagram/public.ts", "DatagramSocket"],
  ["src/io/datagram/server.ts", "DatagramServer"],
];

/** The methods of an interface that answer a promise. */
function operationsOf(file: string, interfaceName: string): string[] {
  const source = readFileSync(join(repositoryRoot, file), "utf8");
  const [, body = ""] = source.split(new RegExp(`export interface ${interfaceName}\\b[^{]*\\{`));
  return [...body.split("\n}")[0]!.matchAll(/^ {2}(\w+)\(.*\): Promise</gm)].map(([, name]) => name as string);
}

test("each public operation stands in a table of failures", () => {
  const tables = [...texts("test/sockets/errors", ".ts"), ...texts("test", "wrong-options.test.ts")].join("\n");
  const api = readFileSync(join(repositoryRoot, "src/api/sockets.ts"), "utf8");
  const exported = [...api.matchAll(/^export (?:async )?function (\w+)/gm)].map(([, name]) => name as string);
  const functions = exported.filter((name) => name !== "networkOf");
  assert.ok(functions.includes("connect") && functions.includes("serveDatagrams"));
  const operations = CONTRACTS.flatMap(([file, name]) => operationsOf(file, name));
  assert.ok(operations.includes("readUntil") && operations.includes("sendMany") && operations.includes("accept"));
  const missing = [...functions, ...new Set(operations)].filter((name) => !new RegExp(`\\b${name}\\(`).test(tables));
  assert.deepEqual(missing, []);
});

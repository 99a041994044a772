/** How long the compiler takes for a contract and both its sides. */

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Figures } from "../harness/processes.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** A program with a contract of `count` calls, its handlers, and a client that makes each call. */
function program(count: number): string {
  const each = (line: (index: number) => string): string =>
    Array.from({ length: count }, (_, index) => line(index)).join("\n");
  return `
import { call, contract, connectSession, serveSessions } from "../../src/protocol.ts";
import { z } from "zod";
const many = contract("many", "1.0.0", { server: {
${each((index) => `  call${index}: call(z.object({ a${index}: z.string(), b: z.number() }), z.object({ c${index}: z.array(z.string()) })),`)}
} });
await serveSessions(many, "tcp://127.0.0.1:0", { handlers: {
${each((index) => `  call${index}: (request) => ({ c${index}: [request.a${index}] }),`)}
} });
const session = await connectSession(many, "tcp://127.0.0.1:1", { handlers: {} });
${each((index) => `export const answer${index}: string[] = (await session.remote.call${index}({ a${index}: "a", b: 1 })).c${index};`)}
`;
}

/** Milliseconds for a contract of `count` methods. */
export async function timeTypes(count: number): Promise<Figures> {
  const folder = mkdtempSync(join(ROOT, "build/types-"));
  try {
    writeFileSync(join(folder, "program.ts"), program(count));
    const options = {
      extends: "../../tsconfig.json",
      compilerOptions: { noEmit: true },
      include: ["program.ts"],
      exclude: [],
    };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(options));
    const startedAt = performance.now();
    await promisify(execFile)(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc"), "-p", folder]);
    return { ms: performance.now() - startedAt };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

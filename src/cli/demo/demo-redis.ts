/** A Redis of the demo's own, for other programs: it keeps nothing on the disk, and leaves nothing behind. */

import { spawn } from "node:child_process";
import { CommandFailure } from "../terminal/exit-codes.ts";
import { inLanguage } from "../terminal/language.ts";
import { freeAddress, portOf } from "./other-program.ts";

const TEXTS = inLanguage({
  en: { failed: (why: string) => `redis-server, which --beside needs, cannot be used: ${why}` },
  es: { failed: (why) => `redis-server, que --beside necesita, no se puede usar: ${why}` },
});

/** A Redis that runs. */
export interface DemoRedis {
  /** Its URL. */
  readonly place: string;
  close(): void;
}

/** Starts it on a free port. */
export async function startRedis(signal: AbortSignal): Promise<DemoRedis> {
  const port = String(portOf(await freeAddress()));
  const words = ["--bind", "127.0.0.1", "--port", port, "--save", "", "--appendonly", "no"];
  const server = spawn("redis-server", words, { stdio: ["ignore", "pipe", "inherit"], signal, killSignal: "SIGKILL" });
  let output = "";
  return await new Promise((resolve, reject) => {
    const fail = (why: string): void => reject(new CommandFailure("DEMO_FAILED", TEXTS.failed(why)));
    server.once("error", ({ message }) => fail(message));
    server.once("exit", () => fail(output.trim().slice(-300)));
    server.stdout.on("data", (bytes: Buffer) => {
      output += String(bytes);
      if (!output.includes("Ready to accept")) return;
      resolve({ place: `redis://127.0.0.1:${port}`, close: () => void server.kill("SIGKILL") });
    });
  });
}

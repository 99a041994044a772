/** The program that runs behind `--`, and how long the proxies run. */

import { spawn } from "node:child_process";
import { constants } from "node:os";
import { EXIT, CommandFailure } from "../terminal/exit-codes.ts";
import { inLanguage } from "../terminal/language.ts";
import { takeSignals } from "../terminal/run-command.ts";

const TEXTS = inLanguage({
  en: { noProgram: (name: string, why: string) => `cannot start ${name}: ${why}` },
  es: { noProgram: (name, why) => `no se puede arrancar ${name}: ${why}` },
});

/** Aborts as `stop` does, and when the time is over. */
export function limited(stop: AbortSignal, forMs: number | undefined): AbortSignal {
  if (forMs === undefined) return stop;
  const controller = new AbortController();
  setTimeout(() => controller.abort(), forMs);
  return AbortSignal.any([stop, controller.signal]);
}

/** So long a program may take to end, in milliseconds: as long as `closeOn` gives a server's process. */
const GRACE_MS = 5_000;

/**
 * Runs a program with this command's terminal and answers its exit code; 128 and the number of the signal that ended it, as a
 * shell would. When `stop` aborts, the program gets SIGTERM, and SIGKILL when it has not ended after 5 seconds or when another
 * signal comes. This command waits for its end, so that there is a report.
 */
export function runProgram(
  [name = "", ...words]: readonly string[],
  variables: Readonly<Record<string, string>>,
  stop: AbortSignal,
): Promise<number> {
  const child = spawn(name, words, { stdio: "inherit", env: { ...process.env, ...variables } });
  const cut = (): void => void child.kill("SIGKILL");
  let grace: NodeJS.Timeout | undefined;
  const end = (): void => {
    takeSignals(cut);
    child.kill("SIGTERM");
    grace = setTimeout(cut, GRACE_MS);
  };
  if (stop.aborted) end();
  else stop.addEventListener("abort", end, { once: true });
  return new Promise((resolve, reject) => {
    child.once("error", (error) => reject(new CommandFailure("PROGRAM", TEXTS.noProgram(name, error.message))));
    child.once("exit", (code, signal) => {
      stop.removeEventListener("abort", end);
      clearTimeout(grace);
      resolve(code ?? (signal === null ? EXIT.failed : 128 + constants.signals[signal]));
    });
  });
}

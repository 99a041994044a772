/** The program that runs behind `--`, and how long the proxies run. */

import { spawn } from "node:child_process";
import { constants } from "node:os";
import { EXIT, CommandFailure, Interrupted } from "../terminal/exit-codes.ts";
import { inLanguage } from "../terminal/language.ts";

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

/**
 * Runs a program with this command's terminal and answers its exit code; 128 and the number of the signal that ended it, as a
 * shell would. A signal to this command goes on to the program, which says when it has ended; so does the end of its time, as SIGTERM.
 */
export function runProgram(
  [name = "", ...words]: readonly string[],
  variables: Readonly<Record<string, string>>,
  stop: AbortSignal,
): Promise<number> {
  const child = spawn(name, words, { stdio: "inherit", env: { ...process.env, ...variables } });
  const pass = (): void => {
    const reason: unknown = stop.reason;
    child.kill(reason instanceof Interrupted ? reason.signalName : "SIGTERM");
  };
  stop.addEventListener("abort", pass, { once: true });
  return new Promise((resolve, reject) => {
    child.once("error", (error) => reject(new CommandFailure("PROGRAM", TEXTS.noProgram(name, error.message))));
    child.once("exit", (code, signal) => {
      stop.removeEventListener("abort", pass);
      resolve(code ?? (signal === null ? EXIT.failed : 128 + constants.signals[signal]));
    });
  });
}

/** The program that runs behind `--`, and how long the proxies run. */

import { spawn } from "node:child_process";
import { constants } from "node:os";
import { EXIT, CommandFailure, Interrupted } from "../terminal/exit-codes.ts";
import { inLanguage } from "../terminal/language.ts";

const TEXTS = inLanguage({
  en: { noProgram: (name: string, why: string) => `cannot start ${name}: ${why}` },
  es: { noProgram: (name, why) => `no se puede arrancar ${name}: ${why}` },
});

/** Waits until the person ends the command, or the time is over. Answers the exit code. */
export function endOf(stop: AbortSignal, forMs: number | undefined): Promise<number> {
  return new Promise((resolve) => {
    const timer = forMs === undefined ? undefined : setTimeout(() => resolve(EXIT.done), forMs);
    const end = (): void => {
      clearTimeout(timer);
      resolve(EXIT.done);
    };
    if (stop.aborted) end();
    else stop.addEventListener("abort", end, { once: true });
  });
}

/**
 * Runs a program with this command's terminal and answers its exit code; 128 and the number of the signal that ended it, as a
 * shell would. A signal to this command goes on to the program, which says when it has ended.
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

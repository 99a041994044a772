/** Functions of the program that nobody awaits: what they throw ends no process. */

import { type DiagnosticEvent, publish } from "./diagnostics.ts";

/** Calls a function of the program. What it throws, or its promise rejects with, goes to `onFailure`. */
export function callProgram(callback: () => unknown, onFailure: (error: unknown) => void): void {
  // Awaited, so that an async function cannot end the process either.
  const called = async (): Promise<void> => {
    await callback();
  };
  called().catch(onFailure);
}

/** Publishes an error that nobody awaits on `zocalo:error`, and calls `onError` with it; what that throws is published too. */
export function reportProblem(
  error: unknown,
  place: Pick<DiagnosticEvent, "kind" | "local" | "remote">,
  onError: () => unknown,
): void {
  const { kind, local, remote } = place;
  const tell = (problem: unknown): void => {
    publish("error", () => ({ kind, local, remote, error: problem }));
  };
  tell(error);
  callProgram(onError, tell);
}

/** A child process of the demo, as its parent sees it. */

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { ZocaloError } from "../../index.ts";
import { CommandFailure, wrongUsage } from "../terminal/exit-codes.ts";
import { inLanguage } from "../terminal/language.ts";
import { type Call, mailboxRole, nodeRole, otherNodeRole, type Outcome, serverRole, telephoneRole } from "./roles.ts";

interface Waiting {
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** The command itself, which has a hidden command for this. */
const PROGRAM = fileURLToPath(new URL("../main.js", import.meta.url));

/** Another process that plays a role. */
export class RoleProcess {
  readonly #child: ChildProcess;
  readonly #waiting: Map<number, Waiting> = new Map();
  #calls = 0;

  constructor(role: RoleName) {
    this.#child = fork(PROGRAM, ["demo-role", role], { stdio: ["ignore", "inherit", "inherit", "ipc"], execArgv: [] });
    this.#child.on("message", (outcome: Outcome) => this.#settle(outcome));
    this.#child.on("error", (error) => this.#fail(`${role}: ${error.message}`));
    this.#child.on("exit", (code, signal) => this.#fail(`the ${role} process ended (${signal ?? code})`));
  }

  /** The number of the process. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Asks the process to do something, and waits until it has. */
  async call<Result>(name: string, input?: unknown): Promise<Result> {
    const call: Call = { id: (this.#calls += 1), name, input };
    const result = await new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(call.id, { resolve, reject });
      this.#child.send(call, (error) => {
        if (error !== null) this.#fail(error.message);
      });
    });
    return result as Result;
  }

  /** Lets the process end. */
  stop(): void {
    if (this.#child.connected) this.#child.disconnect();
  }

  /** Kills the process, and waits until it is gone. What was asked of it fails. */
  async kill(): Promise<void> {
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== null || signalCode !== null || this.#child.pid === undefined) return;
    const gone = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await gone;
  }

  #settle({ id, result, failure }: Outcome): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (failure === undefined) waiting?.resolve(result);
    else waiting?.reject(new CommandFailure(failure.code, failure.detail));
  }

  /** Nothing will be answered any more. */
  #fail(detail: string): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const one of waiting) one.reject(new CommandFailure("DEMO_FAILED", detail));
  }
}

/** The roles by name. */
type RoleName = "server" | "telephone" | "mailbox" | "node" | "otherNode";

const ROLES: Readonly<Record<RoleName, () => object>> = {
  server: serverRole,
  telephone: telephoneRole,
  mailbox: mailboxRole,
  node: nodeRole,
  otherNode: otherNodeRole,
};

const FOR_THE_DEMO = inLanguage({
  en: "this command is for the demo itself",
  es: "esta orden es para la demostración",
});

/** Plays a role. Never resolves: the process ends with its parent. */
export async function playRole(name: string): Promise<never> {
  const role = ROLES[name as RoleName]?.() as
    | Readonly<Record<string, (input: unknown) => Promise<unknown>>>
    | undefined;
  if (role === undefined || process.send === undefined) throw wrongUsage(FOR_THE_DEMO);
  // Ctrl-C and the end of the terminal reach every process of it; the parent decides.
  for (const signal of ["SIGINT", "SIGHUP"] as const) process.on(signal, () => undefined);
  process.on("disconnect", () => process.exit(0));
  process.on("message", (call: Call) => {
    void outcomeOf(role, call).then((outcome) => process.send?.(outcome));
  });
  return await new Promise<never>(() => undefined);
}

async function outcomeOf(
  role: Readonly<Record<string, (input: unknown) => Promise<unknown>>>,
  { id, name, input }: Call,
): Promise<Outcome> {
  try {
    return { id, result: await role[name]?.(input) };
  } catch (error) {
    const code = error instanceof ZocaloError ? error.code : "INTERNAL";
    const detail = error instanceof ZocaloError ? error.detail : String(error);
    return { id, failure: { code, detail } };
  }
}

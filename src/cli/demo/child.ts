/** The inside of a child process of the demo: it does what it is asked to until its parent is gone. */

import { ZocaloError } from "../../index.ts";
import { wrongUsage } from "../terminal/exit-codes.ts";
import type { Call, Outcome } from "./calls.ts";
import { mailboxRole, serverRole, telephoneRole } from "./roles.ts";

/** The roles by name. */
export type RoleName = "server" | "telephone" | "mailbox";

const ROLES: Readonly<Record<RoleName, () => object>> = {
  server: serverRole,
  telephone: telephoneRole,
  mailbox: mailboxRole,
};

/** Plays a role. Never resolves: the process ends with its parent. */
export async function playRole(name: string): Promise<never> {
  const role = ROLES[name as RoleName]?.() as
    | Readonly<Record<string, (input: unknown) => Promise<unknown>>>
    | undefined;
  if (role === undefined || process.send === undefined) throw wrongUsage("this command is for the demo itself");
  // Ctrl-C reaches every process of the terminal; the parent decides.
  process.on("SIGINT", () => undefined);
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

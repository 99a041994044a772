/** What `call` and `events` have in common on the command line. */

import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { addOutputOptions } from "../terminal/command.ts";
import { type ContractFlags, EXPORT_HELP } from "./load-contract.ts";
import { InexactJson, parseExactly } from "../terminal/exact-json.ts";
import { wrongUsage } from "../terminal/exit-codes.ts";
import { milliseconds } from "../terminal/number-options.ts";
import type { ConnectFlags } from "../sockets/open-connection.ts";
import type { OutputOptions } from "../terminal/output.ts";
import { addClientTlsFlags } from "../sockets/tls-flags.ts";

/** The flags of a command that opens a session. */
export interface SessionFlags extends ConnectFlags, ContractFlags, OutputOptions {
  readonly auth?: string;
}

/** Adds the flags. @param timeoutHelp - What `--timeout` bounds. */
export function addSessionFlags(command: Command, timeoutHelp: string): Command {
  command
    .option("--export <name>", EXPORT_HELP)
    .option("--auth <file>", "what the server's authenticate wants to see: a file with JSON, so that no list shows it")
    .option("--timeout <ms>", timeoutHelp, milliseconds)
    .option("--wait-for-server <ms>", "when nothing listens there yet, try again for so long", milliseconds);
  return addOutputOptions(addClientTlsFlags(command));
}

/** What the client says of itself; undefined for nothing. */
export function authOf({ auth }: SessionFlags): unknown {
  if (auth === undefined) return undefined;
  try {
    return parseExactly(readFileSync(auth, "utf8"));
  } catch (error) {
    const isJson = error instanceof InexactJson;
    const inexact = "a number in it would become another one, or two members have one name";
    const reason = isJson ? inexact : error instanceof SyntaxError ? "it must hold JSON" : "it cannot be read";
    // The text of the error may quote what is in the file.
    throw wrongUsage(`--auth ${auth}: ${reason}`);
  }
}

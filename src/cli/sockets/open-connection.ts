/** How a command makes a connection. */

import type { Command } from "commander";
import { type Address, connect, type ConnectOptions, type StreamSocket } from "../../index.ts";
import { connectionFacts, connectionText } from "./describe-socket.ts";
import { milliseconds } from "../terminal/command.ts";
import { inLanguage } from "../terminal/language.ts";
import type { CommandContext } from "../terminal/run-command.ts";
import { type ClientTlsFlags, clientTls } from "./tls-flags.ts";

/** What these commands can be told about it. */
export interface ConnectFlags extends ClientTlsFlags {
  readonly waitForServer?: number;
  readonly timeout?: number;
}

/** One connection may take so long to make; a server that is waited for has that time in addition. */
export const DEFAULT_TIMEOUT_MS = 30_000;

const TEXTS = inLanguage({
  en: {
    timeout: "give up when there is no connection after this many milliseconds (default: 30000)",
    wait: "when nothing listens there yet, try again for this many milliseconds",
  },
  es: {
    timeout: "se rinde si no hay conexión después de estos milisegundos (por omisión: 30000)",
    wait: "si todavía no escucha nadie, lo intenta otra vez durante estos milisegundos",
  },
});

/** Adds the options. @param timeoutHelp - What `--timeout` bounds. */
export function addConnectFlags(command: Command, timeoutHelp: string = TEXTS.timeout): Command {
  return command
    .option("--wait-for-server <ms>", TEXTS.wait, milliseconds)
    .option("--timeout <ms>", timeoutHelp, milliseconds);
}

/** The options of the library for these flags. */
export function connectOptions(
  address: Address,
  flags: ConnectFlags,
): Pick<ConnectOptions, "tls" | "timeoutMs" | "retry"> {
  const { waitForServer: waitMs, timeout } = flags;
  return {
    tls: clientTls(address, flags),
    timeoutMs: timeout ?? DEFAULT_TIMEOUT_MS + (waitMs ?? 0),
    retry: waitMs === undefined ? undefined : { timeoutMs: waitMs },
  };
}

/** Connects, and tells of it. */
export async function openConnection(
  address: Address,
  flags: ConnectFlags,
  { output, stop }: CommandContext,
): Promise<StreamSocket> {
  const socket = await connect(address, { ...connectOptions(address, flags), signal: stop });
  const facts = connectionFacts(socket);
  output.detail({ event: "open", ...facts }, `connected: ${connectionText(facts)}`);
  return socket;
}

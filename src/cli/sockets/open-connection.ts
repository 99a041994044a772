/** How `connect` and `send` make a connection. */

import type { Command } from "commander";
import { type Address, connect, type StreamSocket } from "../../index.ts";
import { connectionFacts, connectionText } from "./describe-socket.ts";
import { milliseconds } from "../terminal/command.ts";
import type { CommandContext } from "../terminal/run-command.ts";
import { type ClientTlsFlags, clientTls } from "./tls-flags.ts";

/** What both commands can be told about it. */
export interface ConnectFlags extends ClientTlsFlags {
  readonly waitForServer?: number;
  readonly timeout?: number;
}

/** One connection may take so long to make; a server that is waited for has that time in addition. */
const DEFAULT_TIMEOUT_MS = 30_000;

/** Adds the options. */
export function addConnectFlags(command: Command): Command {
  return command
    .option(
      "--wait-for-server <ms>",
      "when nothing listens there yet, try again for this many milliseconds",
      milliseconds,
    )
    .option(
      "--timeout <ms>",
      "give up when there is no connection after this many milliseconds (default: 30000)",
      milliseconds,
    );
}

/** Connects, and tells of it. */
export async function openConnection(
  address: Address,
  flags: ConnectFlags,
  { output, stop }: CommandContext,
): Promise<StreamSocket> {
  const { waitForServer: waitMs, timeout } = flags;
  const socket = await connect(address, {
    tls: clientTls(address, flags),
    timeoutMs: timeout ?? DEFAULT_TIMEOUT_MS + (waitMs ?? 0),
    retry: waitMs === undefined ? undefined : { timeoutMs: waitMs },
    signal: stop,
  });
  const facts = connectionFacts(socket);
  output.detail({ event: "open", ...facts }, `connected: ${connectionText(facts)}`);
  return socket;
}

/** `zocalo call` on udp: addresses. There is no session: what a datagram cannot promise is refused by the client itself. */

import type { Address } from "../../index.ts";
import { type Contract, type StatelessContract, statelessClient } from "../../protocol.ts";
import { wrongUsage } from "../terminal/exit-codes.ts";
import type { CommandContext } from "../terminal/run-command.ts";
import { clientTls } from "../sockets/tls-flags.ts";
import { jsonLine } from "./json-values.ts";
import { invoke } from "./open.ts";
import type { ServerMethod } from "./server-method.ts";
import type { SessionFlags } from "./session-flags.ts";

/** A question is sent again until then. A server that is there answers sooner, and nobody says that there is none. */
const DATAGRAM_TIMEOUT_MS = 5_000;

/** Calls a method, or sends an event, and prints the answer. */
export async function callOverDatagrams(
  address: Address,
  contract: Contract,
  method: ServerMethod,
  flags: SessionFlags,
  { output, stdout, stop }: CommandContext,
): Promise<void> {
  refuseSessionFlags(address, flags);
  const timeoutMs = flags.timeout ?? DATAGRAM_TIMEOUT_MS;
  const client = await statelessClient(contract as StatelessContract, address, {
    timeoutMs,
    signal: stop,
    validate: "both",
  });
  try {
    const { localAddress: local, remoteAddress: remote } = client;
    const event = { event: "client", contract: contract.name, version: contract.version };
    const text = `asking from ${String(local)}, ${String(remote)}`;
    output.detail({ ...event, local: String(local), remote: String(remote) }, text);
    const answer = await invoke(client, method, { timeoutMs, signal: stop });
    if (answer !== undefined) await stdout.write(jsonLine(answer));
  } finally {
    await client.close();
  }
}

function refuseSessionFlags(address: Address, flags: SessionFlags): void {
  const at = String(address);
  if (flags.auth !== undefined)
    throw wrongUsage("--auth needs a session: over datagrams nobody introduces himself", at);
  if (flags.waitForServer !== undefined) {
    throw wrongUsage(
      "--wait-for-server needs a connection: over datagrams --timeout is the time in which to ask again",
      at,
    );
  }
  clientTls(address, flags);
}

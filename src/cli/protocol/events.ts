/** `zocalo events`: what a server tells its clients. */

import type { Command } from "commander";
import { UsageError } from "../../index.ts";
import { newCommand, parseAddress } from "../terminal/command.ts";
import { EXIT, wrongUsage } from "../terminal/exit-codes.ts";
import { type CommandContext, running } from "../terminal/run-command.ts";
import { visibleText } from "../terminal/visible-text.ts";
import { jsonLine } from "./json-values.ts";
import { loadContract, type ServerMethod, serverMethodFrom } from "./load-contract.ts";
import {
  addSessionFlags,
  type CommandSession,
  failureOf,
  invoke,
  openCommandSession,
  type OpenOptions,
  type SessionFlags,
} from "./open.ts";

interface Flags extends SessionFlags {
  readonly call?: readonly string[];
  readonly reconnect?: boolean;
}

const DESCRIPTION = [
  'Opens a session with a server of the contract and prints each event that the server sends, as {"event":NAME,' +
    '"message":VALUE} on a line of its own, until the server ends or Ctrl-C. Bytes are base64.',
  "Many servers send events only to clients that have joined: --call joins first. The command refuses calls of the server.",
];

const EXAMPLES = [
  "zocalo events tcp://127.0.0.1:7000 prices.js",
  'zocalo events tcp://127.0.0.1:7000 chat.js --call \'join {"room":"plaza"}\'',
  "zocalo events --reconnect tls://example.org:7443 prices.js | tee log",
];

/** The command. */
export function eventsCommand(): Command {
  const command = newCommand("events", "print the events that a server sends", DESCRIPTION, EXAMPLES)
    .argument("<address>", "tcp://HOST:PORT, tls://HOST:PORT or unix:PATH")
    .argument("<contract>", "a module that exports the contract")
    .option(
      "--call <'method json'>",
      "call this first, and again in each new session; may be given several times",
      (one: string, before: readonly string[] | undefined) => [...(before ?? []), one],
    )
    .option("--reconnect", "come back when the connection is lost or the server ends, until Ctrl-C");
  addSessionFlags(command, "give up when there is no session after this many milliseconds (default: 30000)");
  return command.action(running(events));
}

async function events(text: string, file: string, flags: Flags, context: CommandContext): Promise<number> {
  const address = parseAddress(text, "events");
  if (address.transport === "udp") {
    const detail =
      "over datagrams a server knows no clients, so it tells them nothing; give the tcp:, tls: or unix: address of a server with sessions";
    throw new UsageError("UNSUPPORTED", { op: "events", remote: String(address), detail });
  }
  const contract = loadContract(file, flags.export, "events");
  if (!Object.values(contract.client).some(({ kind }) => kind === "event")) {
    throw wrongUsage(`clients of ${contract.name} ${contract.version} are sent no events`);
  }
  const calls = (flags.call ?? []).map((one) => serverMethodFrom(contract, one));
  const stream = calls.find(({ kind }) => kind === "stream");
  if (stream !== undefined) throw wrongUsage(`--call ${stream.name}: a stream is for zocalo call`);
  const feed = new EventFeed(calls, context);
  const reconnect = flags.reconnect === true ? { timeoutMs: Infinity } : false;
  const session = await openCommandSession(address, contract, flags, { reconnect, ...feed.options }, context);
  return await feed.follow(session);
}

/** Prints the events of a session, and of those that follow it, until they end. */
class EventFeed {
  readonly #calls: readonly ServerMethod[];
  readonly #context: CommandContext;
  /** Why the command has ended the session itself. */
  #broken: { readonly by: unknown } | undefined;

  constructor(calls: readonly ServerMethod[], context: CommandContext) {
    this.#calls = calls;
    this.#context = context;
  }

  get options(): Omit<OpenOptions, "reconnect"> {
    const { output, stdout } = this.#context;
    return {
      // To wait for the reader of stdout slows the server down.
      onEvent: async (event, message, session) => {
        try {
          await stdout.write(jsonLine({ event, message }));
        } catch (error) {
          this.#break(session, error);
        }
      },
      onDetach: () => output.say({ event: "detached" }, "the connection is lost; coming back"),
      onResume: () => output.say({ event: "resumed" }, "the connection is back; no event is lost"),
      onFresh: async (session, { reason }) => {
        const note = `a new session (${reason}): what the server told meanwhile is not known`;
        output.say({ event: "fresh", reason }, note);
        await this.#begin(session);
      },
    };
  }

  /** Waits for the end. */
  async follow(session: CommandSession): Promise<number> {
    const { output, stop } = this.#context;
    stop.addEventListener("abort", () => void session.close({ timeoutMs: 0 }), { once: true });
    await this.#begin(session);
    const { error, message } = await session.closed;
    if (stop.aborted) throw stop.reason;
    if (this.#broken !== undefined) throw failureOf(this.#broken.by);
    if (error !== undefined) throw error;
    output.detail({ event: "close", message }, `the server has closed the session: ${visibleText(message)}`);
    return EXIT.done;
  }

  /** Makes the first calls, one after the other. */
  async #begin(session: CommandSession): Promise<void> {
    const { output, stop } = this.#context;
    try {
      for (const method of this.#calls) {
        const answer = await invoke(session, method, { signal: stop });
        const { name } = method;
        output.detail({ event: "answer", method: name, answer }, `${name} answers ${jsonLine(answer).trimEnd()}`);
      }
    } catch (error) {
      this.#break(session, error);
    }
  }

  #break(session: CommandSession, error: unknown): void {
    this.#broken ??= { by: error };
    session.abort();
  }
}

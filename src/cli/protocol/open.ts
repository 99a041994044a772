/** Opens the session of a command. */

import { readFileSync } from "node:fs";
import type { Command } from "commander";
import type { Address } from "../../index.ts";
import {
  type Contract,
  type HandlerContext,
  type Methods,
  connectSession,
  type ConnectSessionOptions,
  RemoteError,
  type Session,
} from "../../protocol.ts";
import { addConnectFlags, type ConnectFlags, connectOptions } from "../sockets/open-connection.ts";
import { addClientTlsFlags } from "../sockets/tls-flags.ts";
import { addOutputOptions, parseAddress } from "../terminal/command.ts";
import { CommandFailure, wrongUsage } from "../terminal/exit-codes.ts";
import { InexactJson, parseExactly } from "../terminal/json-text.ts";
import { inLanguage } from "../terminal/language.ts";
import type { OutputOptions } from "../terminal/output.ts";
import type { CommandContext } from "../terminal/run-command.ts";
import { visibleText } from "../terminal/visible-text.ts";
import { jsonLine } from "./json-values.ts";
import { type ContractFlags, EXPORT_HELP, type ServerMethod } from "./load-contract.ts";

const TEXTS = inLanguage({
  en: {
    auth: "a file with the credentials for the server, as JSON, so that no list of processes shows them",
    or: "another server of the same contract, for when one does not answer; may be given several times",
    inexact: "a number in it would become another one, or two members have one name",
    notJson: "it must hold JSON",
    unreadable: "it cannot be read",
  },
  es: {
    auth: "un archivo con las credenciales para el servidor, como JSON, para que no salgan en la lista de procesos",
    or: "otro servidor del mismo contrato, por si uno no responde; se puede dar varias veces",
    inexact: "un número de él cambiaría de valor, o dos miembros tienen el mismo nombre",
    notJson: "tiene que contener JSON",
    unreadable: "no se puede leer",
  },
});

/** The session of a command: whatever the contract, its methods are called by name. */
export type CommandSession = Session<Methods>;
type Context = HandlerContext<CommandSession>;
type Options = ConnectSessionOptions<Methods, Methods, Record<string, unknown>>;

/** What each command says for itself. */
export interface OpenOptions extends Pick<Options, "reconnect" | "onDetach" | "onResume" | "onReady"> {
  /** Takes an event of the server. */
  readonly onEvent: (name: string, message: unknown, session: CommandSession) => Promise<void> | undefined;
}

/** Opens a session, and tells of it. Handlers of calls and streams that the server asks for refuse them. */
export async function openCommandSession(
  address: Address,
  contract: Contract,
  flags: SessionFlags,
  options: OpenOptions,
  { output, stop }: CommandContext,
): Promise<CommandSession> {
  const { onEvent, ...rest } = options;
  const others = (flags.or ?? []).map((one) => parseAddress(one, "--or"));
  const session = await connectSession(contract, [address, ...others], {
    ...rest,
    ...connectOptions(address, flags),
    handlers: handlersOf(contract, onEvent),
    // The person learns what is wrong at once, and of an event at all.
    validate: "both",
    auth: authOf(flags),
    signal: stop,
    onError: (error) => output.problem(error instanceof RemoteError ? failureOf(error) : error),
  } as Options);
  const { id, localAddress, remoteAddress } = session;
  const facts = { id, contract: contract.name, version: contract.version };
  const event = { event: "session", ...facts, local: String(localAddress), remote: String(remoteAddress) };
  // The server has made the name up.
  output.detail(event, `session ${visibleText(id)}: ${String(localAddress)} with ${String(remoteAddress)}`);
  return session;
}

/** Calls a method that the server offers: the promise of a call, what an event answers, or a stream. */
export function invoke(
  { remote }: { readonly remote: object },
  { name, kind, input }: ServerMethod,
  options?: { readonly timeoutMs?: number; readonly signal?: AbortSignal },
): unknown {
  const methods = remote as Readonly<Record<string, (...args: readonly unknown[]) => unknown>>;
  // An event has nothing to wait for.
  return kind === "event" ? methods[name]?.(input) : methods[name]?.(input, options);
}

/** What the server's handler has answered, as the failure of the command: code, message and data on one line. */
export function failureOf(error: unknown): unknown {
  if (!(error instanceof RemoteError)) return error;
  const { code, message, data } = error;
  const name = /^[\w.-]+$/.test(code) ? code : "REMOTE_ERROR";
  return new CommandFailure(name, data === undefined ? message : `${message} ${jsonLine(data).trimEnd()}`);
}

function handlersOf(contract: Contract, onEvent: OpenOptions["onEvent"]): object {
  const refuse = (): never => {
    throw new RemoteError("UNSUPPORTED", "this client is a command, and answers nothing");
  };
  return Object.fromEntries(
    Object.entries(contract.client).map(([name, { kind }]) => [
      name,
      kind === "event" ? (message: unknown, context: Context) => onEvent(name, message, context.session) : refuse,
    ]),
  );
}

/** The flags of a command that opens a session. */
export interface SessionFlags extends ConnectFlags, ContractFlags, OutputOptions {
  readonly auth?: string;
  readonly or?: readonly string[];
}

/** Adds the flags. @param timeoutHelp - What `--timeout` bounds. */
export function addSessionFlags(command: Command, timeoutHelp: string): Command {
  command
    .option("--export <name>", EXPORT_HELP)
    .option("--auth <file>", TEXTS.auth)
    .option("--or <address>", TEXTS.or, (one: string, before: readonly string[] | undefined) => [
      ...(before ?? []),
      one,
    ]);
  return addOutputOptions(addClientTlsFlags(addConnectFlags(command, timeoutHelp)));
}

/** What the client says of itself; undefined for nothing. */
function authOf({ auth }: SessionFlags): unknown {
  if (auth === undefined) return undefined;
  try {
    return parseExactly(readFileSync(auth, "utf8"));
  } catch (error) {
    const isJson = error instanceof InexactJson;
    const reason = isJson ? TEXTS.inexact : error instanceof SyntaxError ? TEXTS.notJson : TEXTS.unreadable;
    // The text of the error may quote what is in the file.
    throw wrongUsage(`--auth ${auth}: ${reason}`);
  }
}

/** `zocalo events`: what a server tells its clients. */

import type { Command } from "commander";
import { newCommand, parseAddress } from "../terminal/command.ts";
import { CommandError, EXIT, wrongUsage } from "../terminal/exit-codes.ts";
import { inLanguage } from "../terminal/language.ts";
import { type CommandContext, running } from "../terminal/run-command.ts";
import { visibleText } from "../terminal/visible-text.ts";
import { jsonLine } from "./json-values.ts";
import { CONTRACT_HELP, loadContract, type ServerMethod, serverMethodFrom } from "./load-contract.ts";
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

const TEXTS = inLanguage({
  en: {
    help: {
      summary: "print the events that a server sends",
      paragraphs: [
        'Opens a session with a server of the contract and prints each event that the server sends, as {"event":NAME,' +
          '"message":VALUE} on a line of its own, until the server ends or Ctrl-C. Bytes are base64.',
        "Many servers send events only to clients that have joined: --call joins first. The command refuses calls of the " +
          "server.",
      ],
    },
    address: "tcp://HOST:PORT, tls://HOST:PORT or unix:PATH",
    call: "call this first, and again in each new session; may be given several times",
    reconnect: "come back when the connection is lost or the server ends, until Ctrl-C",
    timeout: "give up when there is no session after this many milliseconds (default: 30000)",
    datagrams:
      "over datagrams a server knows no clients, so it tells them nothing; give the tcp:, tls: or unix: address of a server with sessions",
    noEvents: (contract: string) => `clients of ${contract} are sent no events`,
    stream: (name: string) => `--call ${name}: a stream is for zocalo call`,
  },
  es: {
    help: {
      summary: "escribe los eventos que envía un servidor",
      paragraphs: [
        'Abre una sesión con un servidor del contrato y escribe cada evento que envía el servidor, como {"event":NOMBRE,' +
          '"message":VALOR} en una línea, hasta que termina el servidor o hasta Ctrl-C. Los bytes van en base64.',
        "Muchos servidores envían eventos solo a los clientes que han entrado: --call entra antes. La orden rechaza las " +
          "llamadas del servidor.",
      ],
    },
    address: "tcp://MÁQUINA:PUERTO, tls://MÁQUINA:PUERTO o unix:RUTA",
    call: "llama antes a esto, y otra vez en cada sesión nueva; se puede dar varias veces",
    reconnect: "vuelve cuando se pierde la conexión o termina el servidor, hasta Ctrl-C",
    timeout: "se rinde si no hay sesión después de estos milisegundos (por omisión: 30000)",
    datagrams:
      "por datagramas un servidor no conoce a sus clientes y no les cuenta nada; da la dirección tcp:, tls: o unix: de un servidor con sesiones",
    noEvents: (contract) => `los clientes de ${contract} no reciben eventos`,
    stream: (name) => `--call ${name}: un flujo es para zocalo call`,
  },
});

const EXAMPLES = [
  "zocalo events tcp://127.0.0.1:7000 prices.js",
  'zocalo events tcp://127.0.0.1:7000 chat.js --call \'join {"room":"plaza"}\'',
  "zocalo events --reconnect tls://example.org:7443 prices.js | tee log",
];

/** The command. */
export function eventsCommand(): Command {
  const command = newCommand("events", { ...TEXTS.help, examples: EXAMPLES })
    .argument("<address>", TEXTS.address)
    .argument("<contract>", CONTRACT_HELP)
    .option("--call <'method json'>", TEXTS.call, (one: string, before: readonly string[] | undefined) => [
      ...(before ?? []),
      one,
    ])
    .option("--reconnect", TEXTS.reconnect);
  addSessionFlags(command, TEXTS.timeout);
  return command.action(running(events));
}

async function events(text: string, file: string, flags: Flags, context: CommandContext): Promise<number> {
  const address = parseAddress(text, "events");
  if (address.transport === "udp") {
    throw new CommandError("UNSUPPORTED", { op: "events", remote: String(address), detail: TEXTS.datagrams });
  }
  const contract = loadContract(file, flags.export, "events");
  if (!Object.values(contract.client).some(({ kind }) => kind === "event")) {
    throw wrongUsage(TEXTS.noEvents(`${contract.name} ${contract.version}`));
  }
  const calls = (flags.call ?? []).map((one) => serverMethodFrom(contract, one));
  const stream = calls.find(({ kind }) => kind === "stream");
  if (stream !== undefined) throw wrongUsage(TEXTS.stream(stream.name));
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
      // Not awaited: the session is told of first, and the calls have no end of their own.
      onReady: (session, { reason }) => {
        if (reason === "first") return;
        const note = `a new session (${reason}): what the server told meanwhile is not known`;
        output.say({ event: "fresh", reason }, note);
        void this.#begin(session);
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

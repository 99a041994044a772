/** `zocalo call`: one call of a method that a server offers. */

import type { Command } from "commander";
import type { Address } from "../../index.ts";
import { type Contract, connectStateless, type StatelessContract } from "../../protocol.ts";
import { DEFAULT_TIMEOUT_MS } from "../sockets/open-connection.ts";
import { clientTls } from "../sockets/tls-flags.ts";
import { newCommand, parseAddress } from "../terminal/command.ts";
import { EXIT, wrongUsage } from "../terminal/exit-codes.ts";
import { inLanguage } from "../terminal/language.ts";
import { type CommandContext, running } from "../terminal/run-command.ts";
import { exchangeItems, type Items, showItems } from "./items.ts";
import { jsonLine } from "./json-values.ts";
import { CONTRACT_HELP, loadContract, serverMethod, type ServerMethod } from "./load-contract.ts";
import {
  addSessionFlags,
  type CommandSession,
  failureOf,
  invoke,
  openCommandSession,
  type SessionFlags,
} from "./open.ts";

const TEXTS = inLanguage({
  en: {
    help: {
      summary: "call a method of a server, by its contract",
      paragraphs: [
        "Opens a session with a server of the contract, calls one of its methods, and prints the answer as one line of " +
          "JSON. It prints nothing for an event, or for an answer without a value. For a stream it prints each item as it " +
          "comes; where the server takes items, it sends each line of stdin as one.",
        "CONTRACT is a module that exports the contract. JSON is the question; leave it out where there is none. Bytes are " +
          "base64. When the server answers with an error, the command fails with its code, its message and its data.",
        "Over udp:// there is no session: the command sends an idempotent call again until the answer comes, and an event " +
          "once.",
      ],
    },
    address: "tcp://HOST:PORT, tls://HOST:PORT, unix:PATH or udp://HOST:PORT",
    method: "what the server offers: a call, an event or a stream",
    json: "the question or the message",
    timeout: "give up when there is no answer after this many milliseconds (default: 30000, over udp 5000)",
    noOthers: "--or needs a session: a datagram goes to one address",
    noAuth: "--auth needs a session: datagrams carry no credentials",
    noWait: "--wait-for-server needs a connection: over datagrams --timeout is the time in which to ask again",
  },
  es: {
    help: {
      summary: "llama a un método de un servidor, por su contrato",
      paragraphs: [
        "Abre una sesión con un servidor del contrato, llama a uno de sus métodos y escribe la respuesta como una línea de " +
          "JSON. No escribe nada si es un evento, o si la respuesta no tiene valor. De un flujo escribe cada elemento " +
          "cuando llega; si el servidor toma elementos, envía cada línea de stdin como uno.",
        "CONTRATO es un módulo que exporta el contrato. JSON es la pregunta; no la escribas si no la hay. Los bytes van en " +
          "base64. Si el servidor responde con un error, la orden falla con su código, su mensaje y sus datos.",
        "Por udp:// no hay sesión: la orden envía una llamada idempotente otra vez hasta que llega la respuesta, y un " +
          "evento una sola vez.",
      ],
    },
    address: "tcp://MÁQUINA:PUERTO, tls://MÁQUINA:PUERTO, unix:RUTA o udp://MÁQUINA:PUERTO",
    method: "lo que ofrece el servidor: una llamada, un evento o un flujo",
    json: "la pregunta o el mensaje",
    timeout: "se rinde si no hay respuesta después de estos milisegundos (por omisión: 30000; por udp, 5000)",
    noOthers: "--or necesita una sesión: un datagrama va a una sola dirección",
    noAuth: "--auth necesita una sesión: los datagramas no llevan credenciales",
    noWait: "--wait-for-server necesita una conexión: por datagramas, --timeout dice cuánto tiempo pregunta otra vez",
  },
});

const EXAMPLES = [
  'zocalo call tcp://127.0.0.1:7000 chat.js join \'{"room":"plaza"}\'',
  "zocalo call --timeout 500 unix:/tmp/clock.sock clock.js now",
  "zocalo call --auth me.json tls://example.org:7443 bank.js balance",
  "seq 1 1000 | zocalo call tcp://127.0.0.1:7000 numbers.js sum",
  "zocalo call udp://127.0.0.1:7000 telemetry.js settings",
];

/** The command. */
export function callCommand(): Command {
  const command = newCommand("call", { ...TEXTS.help, examples: EXAMPLES })
    .argument("<address>", TEXTS.address)
    .argument("<contract>", CONTRACT_HELP)
    .argument("<method>", TEXTS.method)
    .argument("[json]", TEXTS.json);
  addSessionFlags(command, TEXTS.timeout);
  return command.action(running(call));
}

async function call(
  text: string,
  file: string,
  name: string,
  json: string | undefined,
  flags: SessionFlags,
  context: CommandContext,
): Promise<number> {
  const address = parseAddress(text, "call");
  const contract = loadContract(file, flags.export, "call");
  const method = serverMethod(contract, name, json);
  try {
    const order = { address, contract, method, flags, context };
    await (address.transport === "udp" ? callOverDatagrams(order) : callInSession(order));
  } catch (error) {
    throw failureOf(error);
  }
  return EXIT.done;
}

/** What the person wants, of whom, and how. */
interface Order {
  readonly address: Address;
  readonly contract: Contract;
  readonly method: ServerMethod;
  readonly flags: SessionFlags;
  readonly context: CommandContext;
}

async function callInSession({ address, contract, method, flags, context }: Order): Promise<void> {
  const startedAt = performance.now();
  const options = { reconnect: false, onEvent: () => undefined } as const;
  const session = await openCommandSession(address, contract, flags, options, context);
  // The time for the server to start does not count, unless a time was named.
  const spentMs = flags.timeout === undefined ? 0 : performance.now() - startedAt;
  try {
    const leftMs = Math.ceil((flags.timeout ?? DEFAULT_TIMEOUT_MS) - spentMs);
    await perform(session, method, Math.max(0, leftMs), context);
  } finally {
    await session.close({ timeoutMs: 0 });
  }
}

async function perform(
  session: CommandSession,
  method: ServerMethod,
  timeoutMs: number,
  context: CommandContext,
): Promise<void> {
  const { stdout, stop } = context;
  if (method.kind === "event") {
    await invoke(session, method);
    return;
  }
  if (method.kind === "call") {
    const answer = await invoke(session, method, { timeoutMs, signal: stop });
    if (answer !== undefined) await stdout.write(jsonLine(answer));
    return;
  }
  // How long a stream takes is its own affair.
  const items = invoke(session, method, { signal: stop }) as Items;
  if (method.takes === undefined) await showItems(items, context);
  else await exchangeItems(items, method, context);
}

/** A question is sent again until then. A server that is there answers sooner, and nobody says that there is none. */
const DATAGRAM_TIMEOUT_MS = 5_000;

/** Calls a method, or sends an event, and prints the answer. */
async function callOverDatagrams({ address, contract, method, flags, context }: Order): Promise<void> {
  refuseSessionFlags(address, flags);
  const { output, stdout, stop } = context;
  const timeoutMs = flags.timeout ?? DATAGRAM_TIMEOUT_MS;
  const client = await connectStateless(contract as StatelessContract, address, {
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
    await client.close({ timeoutMs: 0 });
  }
}

function refuseSessionFlags(address: Address, flags: SessionFlags): void {
  const at = String(address);
  if (flags.auth !== undefined) throw wrongUsage(TEXTS.noAuth, at);
  if (flags.or !== undefined) throw wrongUsage(TEXTS.noOthers, at);
  if (flags.waitForServer !== undefined) throw wrongUsage(TEXTS.noWait, at);
  clientTls(address, flags);
}

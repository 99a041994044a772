/** `zocalo send`: single messages, and what comes back. */

import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import type { Command } from "commander";
import { type Address, TimeoutError } from "../../index.ts";
import { addOutputOptions, count, milliseconds, newCommand, parseAddress } from "../terminal/command.ts";
import { CommandError, EXIT } from "../terminal/exit-codes.ts";
import { inLanguage } from "../terminal/language.ts";
import { asLine, quantity, toHexDump } from "../terminal/visible-text.ts";
import type { OutputOptions } from "../terminal/output.ts";
import { type CommandContext, running } from "../terminal/run-command.ts";
import { type Exchange, openDatagrams, openMessages, type Reply } from "./exchange.ts";
import { addFramingOption, type FramingFlags, shownMessage } from "./framing-option.ts";
import { addConnectFlags, type ConnectFlags } from "./open-connection.ts";
import { addClientTlsFlags } from "./tls-flags.ts";

const TEXTS = inLanguage({
  en: {
    help: {
      summary: "send messages or datagrams and print the replies",
      paragraphs: [
        "Sends each TEXT as one message and waits for the reply to it, one after the other. Replies go to stdout, each on a " +
          "line of its own; their senders and round-trip times go to stderr. The command fails when no reply came at all.",
        "Over udp: a message is a datagram, and so is a reply; from a multicast or broadcast address the command takes all " +
          "replies. Over tcp:, tls: and unix: a message is a line, and so is a reply, unless --framing says otherwise.",
      ],
      examples: [
        "zocalo send udp://127.0.0.1:7001 hola               one datagram, one reply",
        "zocalo send tcp://127.0.0.1:7000 hola adios         two lines, one connection",
        "zocalo send --framing json tcp://127.0.0.1:7000 '{\"n\":1}'",
        "zocalo send udp://127.0.0.1:7001 ping --count 5 --interval 200",
        "zocalo send udp://127.0.0.1:5140 'a log line' --wait 0",
        "zocalo send 'udp://239.1.2.3:5000?interface=lo' 'who is there?' --wait 500",
      ],
    },
    address: "udp://HOST:PORT, tcp://HOST:PORT, tls://HOST:PORT or unix:PATH",
    text: "the messages",
    wait: "wait this many milliseconds for each reply; 0 waits for none",
    count: "send all messages this many times",
    interval: "pause this many milliseconds between two messages",
    hex: "print the replies as a hexadecimal dump",
    connection: "Connection (not over udp:):",
    noReply: (waitMs: number) => `no reply within ${waitMs} ms; give more time with --wait, or --wait 0 to expect none`,
  },
  es: {
    help: {
      summary: "envía mensajes o datagramas y escribe las respuestas",
      paragraphs: [
        "Envía cada TEXTO como un mensaje y espera su respuesta, uno tras otro. Las respuestas van a stdout, cada una en su " +
          "línea; sus remitentes y lo que tardaron de ida y vuelta, a stderr. La orden falla si no llegó ninguna.",
        "Por udp: un mensaje es un datagrama, y una respuesta también; de una dirección de multidifusión o de difusión la " +
          "orden toma todas. Por tcp:, tls: y unix: un mensaje es una línea, y una respuesta también, si --framing no dice " +
          "otra cosa.",
      ],
      examples: [
        "zocalo send udp://127.0.0.1:7001 hola               un datagrama y respuesta",
        "zocalo send tcp://127.0.0.1:7000 hola adios         dos líneas, una conexión",
        "zocalo send --framing json tcp://127.0.0.1:7000 '{\"n\":1}'",
        "zocalo send udp://127.0.0.1:7001 ping --count 5 --interval 200",
        "zocalo send udp://127.0.0.1:5140 'línea de registro' --wait 0",
        "zocalo send 'udp://239.1.2.3:5000?interface=lo' '¿quién hay?' --wait 500",
      ],
    },
    address: "udp://MÁQUINA:PUERTO, tcp://MÁQUINA:PUERTO, tls://MÁQUINA:PUERTO o unix:RUTA",
    text: "los mensajes",
    wait: "espera estos milisegundos cada respuesta; con 0 no espera ninguna",
    count: "envía todos los mensajes estas veces",
    interval: "hace una pausa de estos milisegundos entre dos mensajes",
    hex: "escribe las respuestas en hexadecimal",
    connection: "Conexión (no por udp:):",
    noReply: (waitMs) =>
      `no hubo respuesta en ${waitMs} ms; da más tiempo con --wait, o --wait 0 para no esperar ninguna`,
  },
});

const DEFAULT_WAIT_MS = 1000;

/** The command. */
export function sendCommand(): Command {
  const command = newCommand("send", TEXTS.help)
    .argument("<address>", TEXTS.address)
    .argument("<text...>", TEXTS.text)
    .option("--wait <ms>", TEXTS.wait, milliseconds, DEFAULT_WAIT_MS)
    .option("--count <n>", TEXTS.count, count, 1)
    .option("--interval <ms>", TEXTS.interval, milliseconds, 0)
    .option("--hex", TEXTS.hex);
  addFramingOption(addConnectFlags(command.optionsGroup(TEXTS.connection)));
  addOutputOptions(addClientTlsFlags(command));
  return command.action(running(send));
}

async function send(
  text: string,
  texts: readonly string[],
  flags: SendFlags,
  context: CommandContext,
): Promise<number> {
  const address = parseAddress(text, "send");
  const open = address.transport === "udp" ? openDatagrams : openMessages;
  const exchange = await open(address, flags, context);
  const { sent, replies } = await sendAll(exchange, address, repeated(texts, flags.count), flags, context);
  const { output } = context;
  const summary = `${sent} sent, ${quantity(replies, "reply", "replies")}`;
  const event = { event: "summary", sent, replies };
  if (texts.length * flags.count > 1) output.say(event, summary);
  else output.detail(event, summary);
  if (replies > 0 || flags.wait === 0) return EXIT.done;
  const detail = TEXTS.noReply(flags.wait);
  throw new CommandError("TIMEOUT", { op: "send", remote: String(address), detail });
}

/** Made one at a time: they may be more than there is memory for. */
function* repeated(texts: readonly string[], times: number): Generator<string, void, undefined> {
  for (let time = 0; time < times; time += 1) yield* texts;
}

/** The options; the help of the command explains them. */
interface SendFlags extends ConnectFlags, FramingFlags, OutputOptions {
  readonly wait: number;
  readonly count: number;
  readonly interval: number;
}

/** Sends the messages and takes the replies to each for a while. */
async function sendAll(
  exchange: Exchange,
  address: Address,
  messages: Iterable<string>,
  flags: SendFlags,
  context: CommandContext,
): Promise<{ readonly sent: number; readonly replies: number }> {
  const { stop } = context;
  let sent = 0;
  let replies = 0;
  try {
    for (const message of messages) {
      if (sent > 0 && flags.interval > 0) await delay(flags.interval, undefined, { signal: stop });
      const sentAtMs = performance.now();
      await exchange.send(message, stop);
      sent += 1;
      if (flags.wait === 0) continue;
      const came = await takeReplies(exchange, sentAtMs, flags, context);
      if (came === "ended") break;
      if (came === 0) tellNoReply(address, flags, context);
      replies += came;
    }
    await exchange.close();
  } catch (error) {
    await exchange.abort(error);
    throw stop.aborted ? stop.reason : error;
  }
  return { sent, replies };
}

/** Shows the replies to one message, and answers how many came; `ended` when no more can come. */
async function takeReplies(
  exchange: Exchange,
  sentAtMs: number,
  flags: SendFlags,
  context: CommandContext,
): Promise<number | "ended"> {
  const untilMs = performance.now() + flags.wait;
  let replies = 0;
  try {
    while (replies < exchange.mostReplies) {
      const reply = await exchange.receive(Math.max(0, untilMs - performance.now()), context.stop);
      if (reply === null) return "ended";
      replies += 1;
      await showReply(reply, sentAtMs, flags, context);
    }
  } catch (error) {
    if (!(error instanceof TimeoutError)) throw error;
  }
  return replies;
}

/** Shows a reply to what was sent at `sentAtMs`. */
async function showReply(
  { data, from }: Reply,
  sentAtMs: number,
  flags: SendFlags,
  { output, stdout }: CommandContext,
): Promise<void> {
  const rttMs = Number((performance.now() - sentAtMs).toFixed(3));
  output.say(
    { event: "reply", from: String(from), bytes: data.length, rttMs },
    output.colours.dim(`reply from ${String(from)} in ${rttMs.toFixed(2)} ms, ${quantity(data.length, "byte")}`),
  );
  if (flags.framing !== undefined) await stdout.write(shownMessage(data, flags));
  else await stdout.write(flags.hex === true ? toHexDump()(data) : asLine(data));
}

/** Tells that nothing came back for one message. */
function tellNoReply(to: Address, flags: SendFlags, { output }: CommandContext): void {
  output.detail({ event: "no-reply", to: String(to), waitMs: flags.wait }, `no reply within ${flags.wait} ms`);
}

/** `zocalo send`: single messages, and what comes back. */

import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import type { Command } from "commander";
import {
  type Address,
  type AddressFamily,
  bind,
  type DatagramSocket,
  EndOfStreamError,
  type StreamSocket,
  TimeoutError,
  ZocaloError,
} from "../../index.ts";
import { addOutputOptions, count, milliseconds, newCommand, parseAddress } from "../terminal/command.ts";
import { EXIT, wrongUsage } from "../terminal/exit-codes.ts";
import { asLine, quantity, toHexDump } from "../terminal/visible-text.ts";
import type { OutputOptions } from "../terminal/output.ts";
import { type CommandContext, runCommand } from "../terminal/run-command.ts";
import {
  addFramingOption,
  FRAMED_DATAGRAM,
  type FramingFlags,
  framingOf,
  type LineCodec,
  shownMessage,
} from "./framing-option.ts";
import { addConnectFlags, type ConnectFlags, openConnection } from "./open-connection.ts";
import { addClientTlsFlags, clientTls } from "./tls-flags.ts";

const DESCRIPTION = [
  "Sends each TEXT as one message and waits for the reply to it, one after the other. Replies go to stdout, each on a " +
    "line of its own; their senders and round-trip times go to stderr. The command fails when no reply came at all.",
  "Over udp: a message is a datagram, and so is a reply; from a multicast or broadcast address the command takes all replies. " +
    "Over tcp:, tls: and unix: a message is a line, and so is a reply, unless --framing says otherwise.",
];

const EXAMPLES = [
  "zocalo send udp://127.0.0.1:7001 hola               one datagram, one reply",
  "zocalo send tcp://127.0.0.1:7000 hola adios         two lines, one connection",
  "zocalo send --framing json tcp://127.0.0.1:7000 '{\"n\":1}'",
  "zocalo send udp://127.0.0.1:7001 ping --count 5 --interval 200",
  "zocalo send udp://127.0.0.1:5140 'a log line' --wait 0",
  "zocalo send 'udp://239.1.2.3:5000?interface=lo' 'who is there?' --wait 500",
];

const DEFAULT_WAIT_MS = 1000;

/** The command. */
export function sendCommand(): Command {
  const command = newCommand("send", "send messages or datagrams and print the replies", DESCRIPTION, EXAMPLES)
    .argument("<address>", "udp://HOST:PORT, tcp://HOST:PORT, tls://HOST:PORT or unix:PATH")
    .argument("<text...>", "the messages")
    .option(
      "--wait <ms>",
      "wait this many milliseconds for each reply; 0 waits for none",
      milliseconds,
      DEFAULT_WAIT_MS,
    )
    .option("--count <n>", "send all messages this many times", count, 1)
    .option("--interval <ms>", "pause this many milliseconds between two messages", milliseconds, 0)
    .option("--hex", "print the replies as a hexadecimal dump");
  addFramingOption(addConnectFlags(command.optionsGroup("Connection (not over udp:):")));
  addOutputOptions(addClientTlsFlags(command));
  return command.action(async (address: string, texts: readonly string[], flags: SendFlags) => {
    await runCommand(flags, (context) => send(address, texts, flags, context));
  });
}

async function send(
  text: string,
  texts: readonly string[],
  flags: SendFlags,
  context: CommandContext,
): Promise<number> {
  const address = parseAddress(text, "send");
  const run = address.transport === "udp" ? sendDatagrams : sendMessages;
  const { sent, replies } = await run(address, repeated(texts, flags.count), flags, context);
  const { output } = context;
  const summary = `${sent} sent, ${quantity(replies, "reply", "replies")}`;
  const event = { event: "summary", sent, replies };
  if (texts.length * flags.count > 1) output.say(event, summary);
  else output.detail(event, summary);
  if (replies > 0 || flags.wait === 0) return EXIT.done;
  const detail = `no reply within ${flags.wait} ms; give more time with --wait, or --wait 0 to expect none`;
  throw new TimeoutError("TIMEOUT", { op: "send", remote: String(address), detail });
}

/** Made one at a time: they may be more than there is memory for. */
function* repeated(texts: readonly string[], times: number): Generator<string, void, undefined> {
  for (let time = 0; time < times; time += 1) yield* texts;
}

/** The options; the help of the command explains them. */
export interface SendFlags extends ConnectFlags, FramingFlags, OutputOptions {
  readonly wait: number;
  readonly count: number;
  readonly interval: number;
}

/** What was sent and what came back. */
export interface SendReport {
  readonly sent: number;
  readonly replies: number;
}

/** Sends the datagrams and takes the replies to each for a while. */
async function sendDatagrams(
  address: Address,
  messages: Iterable<string>,
  flags: SendFlags,
  context: CommandContext,
): Promise<SendReport> {
  refuseConnectionFlags(address, flags);
  const { stop, output } = context;
  const toMany = address.isMulticast || address.isBroadcast;
  const to = toMany ? address.with({ params: {} }) : undefined;
  const box = await openDatagramSocket(address, toMany, stop);
  output.detail(
    { event: "open", local: String(box.localAddress), remote: String(address) },
    `sending from ${String(box.localAddress)} to ${String(address)}`,
  );
  let sent = 0;
  let replies = 0;
  try {
    for (const message of messages) {
      if (sent > 0 && flags.interval > 0) await delay(flags.interval, undefined, { signal: stop });
      const sentAtMs = performance.now();
      await box.send(message, to, { signal: stop });
      sent += 1;
      if (flags.wait === 0) continue;
      const came = await takeReplies(box, toMany, sentAtMs, flags, context);
      if (came === 0) tellNoReply(address, flags, context);
      replies += came;
    }
  } catch (error) {
    throw stop.aborted ? stop.reason : error;
  } finally {
    await box.close();
  }
  return { sent, replies };
}

/** One peer is connected to, so that "nobody listens there" is heard; a group answers from many addresses. */
async function openDatagramSocket(address: Address, toMany: boolean, signal: AbortSignal): Promise<DatagramSocket> {
  if (!toMany) return await openFor(address, signal);
  const box = await bind(anyAddress(address.family), { signal });
  const { interface: way } = address.params;
  if (way !== undefined) box.udp.setMulticastInterface(way);
  if (address.isBroadcast) box.udp.setBroadcast(true);
  return box;
}

/** A name is looked up in IPv4 first, as `listen` does, so that both sides of `localhost` meet. */
async function openFor(remote: Address, signal: AbortSignal): Promise<DatagramSocket> {
  try {
    return await bind(anyAddress(remote.family), { remote, signal });
  } catch (error) {
    const unknown = error instanceof ZocaloError && error.code.startsWith("NAME_");
    if (!unknown || remote.family !== "name") throw error;
    return await bind(anyAddress(6), { remote, signal });
  }
}

function anyAddress(family: AddressFamily): string {
  return family === 6 ? "udp://[::]:0" : "udp://0.0.0.0:0";
}

/** Shows the reply to one datagram, or all that come from a group, and answers how many came. */
async function takeReplies(
  box: DatagramSocket,
  toMany: boolean,
  sentAtMs: number,
  flags: SendFlags,
  context: CommandContext,
): Promise<number> {
  const most = toMany ? Number.POSITIVE_INFINITY : 1;
  let replies = 0;
  try {
    while (replies < most) {
      const timeoutMs = Math.max(0, sentAtMs + flags.wait - performance.now());
      const { data, from } = await box.receive({ timeoutMs, signal: context.stop });
      replies += 1;
      await showReply(data, from, sentAtMs, flags, context);
    }
  } catch (error) {
    if (!(error instanceof TimeoutError)) throw error;
  }
  return replies;
}

/** What is about connections is refused, not ignored. */
function refuseConnectionFlags(address: Address, flags: SendFlags): void {
  clientTls(address, flags);
  if (flags.framing !== undefined) throw wrongUsage(FRAMED_DATAGRAM, String(address));
  const given =
    flags.waitForServer !== undefined ? "--wait-for-server" : flags.timeout !== undefined ? "--timeout" : "";
  if (given === "") return;
  throw wrongUsage(`${given} does not work over UDP, which has no connections; see --wait`, String(address));
}

/** A reply is a line; a longer one is an error, so that a server cannot fill the memory. */
const MAX_REPLY_BYTES = 1_048_576;

/** How messages go out and come back. */
interface Exchange {
  send(message: string, signal: AbortSignal): Promise<void>;
  receive(timeoutMs: number, signal: AbortSignal): Promise<Buffer | null>;
}

/** Sends the messages over one connection, and waits for a reply after each. */
async function sendMessages(
  address: Address,
  messages: Iterable<string>,
  flags: SendFlags,
  context: CommandContext,
): Promise<SendReport> {
  const { stop } = context;
  const codec = framingOf(flags, String(address));
  const socket = await openConnection(address, flags, context);
  const exchange = codec === undefined ? exchangeLines(socket) : exchangeMessages(socket, codec);
  let sent = 0;
  let replies = 0;
  try {
    for (const message of messages) {
      if (sent > 0 && flags.interval > 0) await delay(flags.interval, undefined, { signal: stop });
      const sentAtMs = performance.now();
      await exchange.send(message, stop);
      sent += 1;
      if (flags.wait === 0) continue;
      const reply = await nextReply(exchange, flags.wait, stop);
      if (reply === "late") tellNoReply(address, flags, context);
      if (reply === "ended") break;
      if (typeof reply === "string") continue;
      replies += 1;
      await showReply(reply, address, sentAtMs, flags, context);
    }
    await socket.close();
  } catch (error) {
    socket.abort(error);
    throw stop.aborted ? stop.reason : error;
  }
  return { sent, replies };
}

/** The next reply, or why there is none. */
async function nextReply(
  exchange: Exchange,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Buffer | "late" | "ended"> {
  try {
    return (await exchange.receive(timeoutMs, signal)) ?? "ended";
  } catch (error) {
    if (error instanceof TimeoutError) return "late";
    throw error;
  }
}

/** Lines as they are, with their ends. What stands before the end of the stream is one too. */
function exchangeLines(socket: StreamSocket): Exchange {
  return {
    send: (message, signal) => socket.write(`${message}\n`, { signal }),
    async receive(timeoutMs, signal) {
      try {
        return await socket.readUntil("\n", { timeoutMs, signal, maxBytes: MAX_REPLY_BYTES });
      } catch (error) {
        if (!(error instanceof EndOfStreamError)) throw error;
        return error.partial.length === 0 ? null : Buffer.from(error.partial);
      }
    },
  };
}

function exchangeMessages(socket: StreamSocket, codec: LineCodec): Exchange {
  const messages = socket.framed(codec);
  return {
    send: async (message, signal) => {
      await messages.send(Buffer.from(message), { signal });
      await messages.flush({ signal });
    },
    receive: (timeoutMs, signal) => messages.receive({ timeoutMs, signal }),
  };
}

/** Shows a reply to what was sent at `sentAtMs`. */
async function showReply(
  reply: Buffer,
  from: Address,
  sentAtMs: number,
  flags: SendFlags,
  { output, stdout }: CommandContext,
): Promise<void> {
  const rttMs = Number((performance.now() - sentAtMs).toFixed(3));
  output.say(
    { event: "reply", from: String(from), bytes: reply.length, rttMs },
    output.colours.dim(`reply from ${String(from)} in ${rttMs.toFixed(2)} ms, ${quantity(reply.length, "byte")}`),
  );
  if (flags.framing !== undefined) await stdout.write(shownMessage(reply, flags));
  else await stdout.write(flags.hex === true ? toHexDump()(reply) : asLine(reply));
}

/** Tells that nothing came back for one message. */
function tellNoReply(to: Address, flags: SendFlags, { output }: CommandContext): void {
  output.detail({ event: "no-reply", to: String(to), waitMs: flags.wait }, `no reply within ${flags.wait} ms`);
}

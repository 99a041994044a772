/** `zocalo send`: single messages, and what comes back. */

import type { Command } from "commander";
import { TimeoutError } from "../../index.ts";
import { addOutputOptions, newCommand, parseAddress } from "../terminal/command.ts";
import { EXIT } from "../terminal/exit-codes.ts";
import { addFramingOption } from "./framing-option.ts";
import { count, milliseconds } from "../terminal/number-options.ts";
import { addConnectFlags } from "./open-connection.ts";
import { quantity } from "../terminal/quantity.ts";
import { type CommandContext, runCommand } from "../terminal/run-command.ts";
import { sendDatagrams } from "./send-datagrams.ts";
import type { SendFlags } from "./send-flags.ts";
import { sendMessages } from "./send-messages.ts";
import { addClientTlsFlags } from "./tls-flags.ts";

const DESCRIPTION = [
  "Sends each TEXT as one message and waits for the reply to it, one after the other. Replies go to stdout, each on a " +
    "line of its own; their senders and round-trip times go to stderr. Fails when no reply came at all.",
  "Over udp: a message is a datagram, and so is a reply; from a multicast or broadcast address all replies are taken. " +
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
    .option("--wait <ms>", "wait so long for each reply; 0 does not wait for any", milliseconds, DEFAULT_WAIT_MS)
    .option("--count <n>", "send all of it so many times", count, 1)
    .option("--interval <ms>", "pause between two messages", milliseconds, 0)
    .option("--hex", "show the replies as a hexadecimal dump");
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

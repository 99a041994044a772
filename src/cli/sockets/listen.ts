/** `zocalo listen`: the server's side. */

import { type Command, Option } from "commander";
import type { Address } from "../../index.ts";
import { addOutputOptions, newCommand, parseAddress } from "../terminal/command.ts";
import { wrongUsage } from "../terminal/exit-codes.ts";
import { type CommandContext, running } from "../terminal/run-command.ts";
import { addFramingOption, FRAMED_DATAGRAM, framingOf, holdsValues } from "./framing-option.ts";
import { listenDatagrams } from "./listen-datagrams.ts";
import { listenStreams } from "./listen-streams.ts";
import type { ListenFlags } from "./listen-flags.ts";
import { REPLY_NAMES } from "./replies.ts";
import { addServerTlsFlags } from "./tls-flags.ts";

const DESCRIPTION = [
  "Opens a listener for connections (tcp:, tls:, unix:) or a datagram socket for datagrams (udp:), and prints " +
    "`listening on ADDRESS` on stderr when it is ready. Port 0 picks a free port.",
  "With --reply or --exec it is a server. Ctrl-C (SIGINT) and SIGTERM let it finish what is under way; a second Ctrl-C " +
    "ends it at once.",
  "Without them it joins the first connection to stdin and stdout, and ends when the peer has ended. The end of stdin " +
    "ends its own side (half-close), unless stdin was empty from the start. A datagram socket prints each datagram on a " +
    "line of its own, and sends each line of stdin, with its line end, to the last sender.",
];

const EXAMPLES = [
  "zocalo listen tcp://127.0.0.1:7000 --reply upper    answer in capitals",
  "zocalo listen udp://127.0.0.1:7001 --reply echo     the same for datagrams",
  "zocalo listen tcp://127.0.0.1:7000                  talk to the first client",
  "zocalo listen tcp://127.0.0.1:7000 > file           receive a file",
  "zocalo listen tls://127.0.0.1:7443 --self-signed --reply echo",
  "zocalo listen --framing netstring --reply echo tcp://127.0.0.1:7000",
  "zocalo listen unix:/tmp/date.sock --exec date       a process per connection",
  "zocalo listen tcp://0.0.0.0:7000 --public --reply echo",
];

/** The command. */
export function listenCommand(): Command {
  const command = newCommand("listen", "wait for connections or datagrams", DESCRIPTION, EXAMPLES)
    .argument("<address>", "tcp://HOST:PORT, tls://HOST:PORT, unix:PATH or udp://HOST:PORT")
    .addOption(
      new Option(
        "--reply <service>",
        "answer every client with this service; upper gives UTF-8 text in capitals; over UDP an answer is never longer than its request",
      ).choices(REPLY_NAMES),
    )
    .addOption(
      new Option(
        "--exec <command>",
        "answer every client with a shell command, run once for each connection, which is its stdin and stdout; over " +
          "UDP once for each datagram, which is its stdin, and its stdout is the answer",
      ).conflicts("reply"),
    )
    .addOption(new Option("--once", "serve one connection or datagram, then end").conflicts("keepOpen"))
    .option("--keep-open", "when the connection ends, join the next one (servers do that anyway)")
    .option("--public", "let other machines connect; needed for every address but loopback and Unix sockets")
    .option("--hex", "print what arrives as a hexadecimal dump")
    .option("--crlf", "send the line ends of stdin as CR LF");
  addFramingOption(command);
  addOutputOptions(addServerTlsFlags(command));
  return command.action(running(listen));
}

async function listen(text: string, flags: ListenFlags, context: CommandContext): Promise<number> {
  const address = parseAddress(text, "listen");
  checkExposure(address, flags.public === true);
  checkFlags(flags, String(address));
  return address.transport === "udp"
    ? await listenDatagrams(address, flags, context)
    : await listenStreams(address, flags, context);
}

/** What is for stdin and stdout has no meaning for a server that does not use them. */
function checkFlags(flags: ListenFlags, address: string): void {
  checkFraming(flags, address);
  if (flags.reply === undefined && flags.exec === undefined) return;
  const server = flags.reply === undefined ? "--exec" : "--reply";
  if (flags.hex === true) throw wrongUsage(`--hex does not work with ${server}: nothing goes to stdout`, address);
  if (flags.crlf === true) throw wrongUsage(`--crlf does not work with ${server}: stdin is not sent`, address);
}

/** Messages need a connection, and an answer that is one. */
function checkFraming(flags: ListenFlags, address: string): void {
  const { framing, reply, exec } = flags;
  if (framing === undefined) return;
  framingOf(flags, address);
  if (address.startsWith("udp:")) throw wrongUsage(FRAMED_DATAGRAM, address);
  if (exec !== undefined) throw wrongUsage("--framing does not work with --exec: a child reads bytes", address);
  if (reply === "upper" && holdsValues(framing)) {
    throw wrongUsage(`--reply upper does not work with --framing ${framing}: a value has no capitals`, address);
  }
}

/** Refuses an address that other machines can reach, unless `--public` was given. Unix sockets stay on this machine. */
function checkExposure(address: Address, isPublic: boolean): void {
  if (isPublic || address.transport === "unix" || address.isLoopback) return;
  const instead = address.with({ host: address.family === 6 ? "::1" : "127.0.0.1", params: {} });
  const detail = `other machines could reach this address; add --public to allow that, or use ${String(instead)}`;
  throw wrongUsage(detail, address.toString());
}

/** `zocalo connect`: the caller's side of a connection, joined to stdin and stdout. */

import type { Command } from "commander";
import { addOutputOptions, newCommand, parseAddress } from "../terminal/command.ts";
import { endFacts } from "./describe-socket.ts";
import { EXIT, wrongUsage } from "../terminal/exit-codes.ts";
import { addFramingOption, type FramingFlags, framingOf } from "./framing-option.ts";
import { join, joinMessages, type JoinOptions } from "./join.ts";
import { addConnectFlags, type ConnectFlags, openConnection } from "./open-connection.ts";
import type { OutputOptions } from "../terminal/output.ts";
import { quantity } from "../terminal/visible-text.ts";
import { inLanguage } from "../terminal/language.ts";
import { type CommandContext, running } from "../terminal/run-command.ts";
import { addClientTlsFlags } from "./tls-flags.ts";

interface Flags extends ConnectFlags, FramingFlags, OutputOptions {}

const TEXTS = inLanguage({
  en: {
    help: {
      summary: "connect to a server: send stdin, print what the server sends",
      paragraphs: [
        "Sends stdin to a server and prints what the server sends.",
        "The end of stdin ends this side of the connection (half-close); the command still waits for the answer. When the " +
          "server has ended its side, the command sends what a pipe or a file still gives, until that is silent for half a " +
          "second. Then it ends.",
      ],
      examples: [
        "zocalo connect tcp://127.0.0.1:7000        type lines; Ctrl-D ends your side",
        "echo hola | zocalo connect tcp://127.0.0.1:7000",
        "zocalo connect --wait-for-server 5000 unix:/tmp/app.sock < request",
        "printf 'HEAD / HTTP/1.0\\n\\n' | zocalo connect --crlf tls://example.org:443",
        "zocalo connect --hex tcp://127.0.0.1:7000 < /dev/null",
        "zocalo connect --framing length4 tcp://127.0.0.1:7000",
        "echo '{\"n\":1}' | zocalo connect --framing json unix:/tmp/app.sock",
      ],
    },
    address: "tcp://HOST:PORT, tls://HOST:PORT or unix:PATH",
    crlf: "send line ends as CR LF",
    hex: "print what arrives as a hexadecimal dump; stdin goes out as it is",
    udp: "udp has no connections: send datagrams with zocalo send ADDRESS TEXT",
  },
  es: {
    help: {
      summary: "conecta con un servidor: envía stdin, escribe lo que llega",
      paragraphs: [
        "Envía stdin a un servidor y escribe lo que envía el servidor.",
        "El final de stdin termina este lado de la conexión (cierre a medias); la orden espera todavía la respuesta. " +
          "Cuando el servidor ha terminado su lado, la orden envía lo que aún da una tubería o un archivo, hasta que " +
          "calla durante medio segundo. Entonces termina.",
      ],
      examples: [
        "zocalo connect tcp://127.0.0.1:7000        escribe líneas; Ctrl-D las termina",
        "echo hola | zocalo connect tcp://127.0.0.1:7000",
        "zocalo connect --wait-for-server 5000 unix:/tmp/app.sock < peticion",
        "printf 'HEAD / HTTP/1.0\\n\\n' | zocalo connect --crlf tls://example.org:443",
        "zocalo connect --hex tcp://127.0.0.1:7000 < /dev/null",
        "zocalo connect --framing length4 tcp://127.0.0.1:7000",
        "echo '{\"n\":1}' | zocalo connect --framing json unix:/tmp/app.sock",
      ],
    },
    address: "tcp://MÁQUINA:PUERTO, tls://MÁQUINA:PUERTO o unix:RUTA",
    crlf: "envía los saltos de línea como CR LF",
    hex: "escribe lo que llega en hexadecimal; stdin sale como está",
    udp: "udp no tiene conexiones: envía datagramas con zocalo send DIRECCIÓN TEXTO",
  },
});

/** The command. */
export function connectCommand(): Command {
  const command = newCommand("connect", TEXTS.help).argument("<address>", TEXTS.address);
  addFramingOption(addConnectFlags(command)).option("--crlf", TEXTS.crlf).option("--hex", TEXTS.hex);
  addOutputOptions(addClientTlsFlags(command));
  return command.action(running(call));
}

async function call(text: string, flags: Flags, context: CommandContext): Promise<number> {
  const address = parseAddress(text, "connect");
  if (address.transport === "udp") {
    throw wrongUsage(TEXTS.udp, String(address));
  }
  const codec = framingOf(flags, String(address));
  const { output, stdin, stdout, stop } = context;
  const socket = await openConnection(address, flags, context);
  void socket.closed.then((end) => {
    const facts = endFacts(socket, end);
    const sums = `${facts.how}: ${quantity(socket.bytesReceived, "byte")} received, ${socket.bytesSent} sent`;
    output.detail({ event: "close", ...facts }, sums);
  });
  const options: JoinOptions = { framing: flags.framing, crlf: flags.crlf, hex: flags.hex, emptyInput: "end" };
  const { inputEnded } =
    codec === undefined
      ? await join(socket, stdin, stdout, options, stop)
      : await joinMessages(socket, codec, context, options);
  if (!inputEnded) output.detail({ event: "peer-ended-first" }, "the server ended first; stdin was not at its end");
  return EXIT.done;
}

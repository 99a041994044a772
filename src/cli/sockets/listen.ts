/** `zocalo listen`: the server's side. */

import { type Command, Option } from "commander";
import type { Address } from "../../index.ts";
import { addOutputOptions, newCommand, parseAddress } from "../terminal/command.ts";
import { wrongUsage } from "../terminal/exit-codes.ts";
import { inLanguage } from "../terminal/language.ts";
import { type CommandContext, running } from "../terminal/run-command.ts";
import { addFramingOption, FRAMED_DATAGRAM, framingOf, holdsValues } from "./framing-option.ts";
import { listenDatagrams } from "./listen-datagrams.ts";
import { listenStreams } from "./listen-streams.ts";
import type { ListenFlags } from "./listen-flags.ts";
import { REPLY_NAMES } from "./replies.ts";
import { addServerTlsFlags } from "./tls-flags.ts";

const TEXTS = inLanguage({
  en: {
    help: {
      summary: "wait for connections or datagrams",
      paragraphs: [
        "Opens a listener for connections (tcp:, tls:, unix:) or a datagram socket for datagrams (udp:), and prints " +
          "`listening on ADDRESS` on stderr when it is ready. Port 0 picks a free port.",
        "With --reply or --exec it is a server. Ctrl-C (SIGINT) and SIGTERM let it finish what is under way; a second " +
          "Ctrl-C ends it at once.",
        "Without them it joins the first connection to stdin and stdout, and ends when the peer has ended. The end of " +
          "stdin ends its own side (half-close), unless stdin was empty from the start. A datagram socket prints each " +
          "datagram on a line of its own, and sends each line of stdin, with its line end, to the last sender.",
      ],
      examples: [
        "zocalo listen tcp://127.0.0.1:7000 --reply upper    answer in capitals",
        "zocalo listen udp://127.0.0.1:7001 --reply echo     the same for datagrams",
        "zocalo listen tcp://127.0.0.1:7000                  talk to the first client",
        "zocalo listen tcp://127.0.0.1:7000 > file           receive a file",
        "zocalo listen tls://127.0.0.1:7443 --self-signed --reply echo",
        "zocalo listen --framing netstring --reply echo tcp://127.0.0.1:7000",
        "zocalo listen unix:/tmp/date.sock --exec date       a process per connection",
        "zocalo listen tcp://0.0.0.0:7000 --public --reply echo",
      ],
    },
    address: "tcp://HOST:PORT, tls://HOST:PORT, unix:PATH or udp://HOST:PORT",
    reply:
      "answer every client with this service; upper gives UTF-8 text in capitals; over UDP an answer is never longer than its request",
    exec:
      "answer every client with a shell command, run once for each connection, which is its stdin and stdout; over " +
      "UDP once for each datagram, which is its stdin, and its stdout is the answer",
    once: "serve one connection or datagram, then end",
    keepOpen: "when the connection ends, join the next one (servers do that anyway)",
    public: "let other machines connect; needed for every address but loopback and Unix sockets",
    hex: "print what arrives as a hexadecimal dump",
    crlf: "send the line ends of stdin as CR LF",
    noHex: (server: string) => `--hex does not work with ${server}: nothing goes to stdout`,
    noCrlf: (server: string) => `--crlf does not work with ${server}: stdin is not sent`,
    framedExec: "--framing does not work with --exec: a child reads bytes",
    framedUpper: (framing: string) => `--reply upper does not work with --framing ${framing}: a value has no capitals`,
    exposed: (instead: string) =>
      `other machines could reach this address; add --public to allow that, or use ${instead}`,
  },
  es: {
    help: {
      summary: "espera conexiones o datagramas",
      paragraphs: [
        "Abre un socket de escucha para conexiones (tcp:, tls:, unix:) o un socket de datagramas (udp:), y cuando está " +
          "listo escribe en stderr `listening on DIRECCIÓN`. El puerto 0 toma uno libre.",
        "Con --reply o --exec es un servidor. Ctrl-C (SIGINT) y SIGTERM le dejan terminar lo que está haciendo; otro " +
          "Ctrl-C lo termina en el acto.",
        "Sin ellas une la primera conexión con stdin y stdout, y termina cuando ha terminado el otro lado. El final de " +
          "stdin termina el lado de la orden (cierre a medias), si stdin no estaba vacía desde el principio. Un socket de " +
          "datagramas escribe cada datagrama en una línea, y envía cada línea de stdin, con su salto de línea, al último " +
          "remitente.",
      ],
      examples: [
        "zocalo listen tcp://127.0.0.1:7000 --reply upper    responde en mayúsculas",
        "zocalo listen udp://127.0.0.1:7001 --reply echo     responde a datagramas",
        "zocalo listen tcp://127.0.0.1:7000                  habla con un cliente",
        "zocalo listen tcp://127.0.0.1:7000 > archivo        recibe un archivo",
        "zocalo listen tls://127.0.0.1:7443 --self-signed --reply echo",
        "zocalo listen --framing netstring --reply echo tcp://127.0.0.1:7000",
        "zocalo listen unix:/tmp/fecha.sock --exec date      cada conexión, un proceso",
        "zocalo listen tcp://0.0.0.0:7000 --public --reply echo",
      ],
    },
    address: "tcp://MÁQUINA:PUERTO, tls://MÁQUINA:PUERTO, unix:RUTA o udp://MÁQUINA:PUERTO",
    reply:
      "responde a cada cliente con este servicio; upper da el texto UTF-8 en mayúsculas; por UDP una respuesta nunca es " +
      "más larga que su petición",
    exec:
      "responde a cada cliente con una orden del shell, una vez por conexión, que es su stdin y su stdout; por UDP, una " +
      "vez por datagrama, que es su stdin, y su stdout es la respuesta",
    once: "atiende una conexión o un datagrama, y termina",
    keepOpen: "cuando termina la conexión, se une a la siguiente (los servidores lo hacen siempre)",
    public: "deja que conecten otras máquinas; hace falta salvo en el bucle local y los sockets Unix",
    hex: "escribe lo que llega en hexadecimal",
    crlf: "envía los saltos de línea de stdin como CR LF",
    noHex: (server) => `--hex no se puede usar con ${server}: nada va a stdout`,
    noCrlf: (server) => `--crlf no se puede usar con ${server}: no se envía stdin`,
    framedExec: "--framing no se puede usar con --exec: un proceso lee bytes",
    framedUpper: (framing) => `--reply upper no se puede usar con --framing ${framing}: un valor no tiene mayúsculas`,
    exposed: (instead) =>
      `otras máquinas podrían llegar a esta dirección; añade --public para permitirlo, o usa ${instead}`,
  },
});

/** The command. */
export function listenCommand(): Command {
  const command = newCommand("listen", TEXTS.help)
    .argument("<address>", TEXTS.address)
    .addOption(new Option("--reply <service>", TEXTS.reply).choices(REPLY_NAMES))
    .addOption(new Option("--exec <command>", TEXTS.exec).conflicts("reply"))
    .addOption(new Option("--once", TEXTS.once).conflicts("keepOpen"))
    .option("--keep-open", TEXTS.keepOpen)
    .option("--public", TEXTS.public)
    .option("--hex", TEXTS.hex)
    .option("--crlf", TEXTS.crlf);
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
  if (flags.hex === true) throw wrongUsage(TEXTS.noHex(server), address);
  if (flags.crlf === true) throw wrongUsage(TEXTS.noCrlf(server), address);
}

/** Messages need a connection, and an answer that is one. */
function checkFraming(flags: ListenFlags, address: string): void {
  const { framing, reply, exec } = flags;
  if (framing === undefined) return;
  framingOf(flags, address);
  if (address.startsWith("udp:")) throw wrongUsage(FRAMED_DATAGRAM, address);
  if (exec !== undefined) throw wrongUsage(TEXTS.framedExec, address);
  if (reply === "upper" && holdsValues(framing)) {
    throw wrongUsage(TEXTS.framedUpper(framing), address);
  }
}

/** Refuses an address that other machines can reach, unless `--public` was given. Unix sockets stay on this machine. */
function checkExposure(address: Address, isPublic: boolean): void {
  if (isPublic || address.transport === "unix" || address.isLoopback) return;
  const instead = address.with({ host: address.family === 6 ? "::1" : "127.0.0.1", params: {} });
  throw wrongUsage(TEXTS.exposed(String(instead)), address.toString());
}

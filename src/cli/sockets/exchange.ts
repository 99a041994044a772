/** How `zocalo send` gets its messages out and the replies back: as datagrams, or over one connection. */

import {
  type Address,
  type AddressFamily,
  bind,
  type DatagramSocket,
  EndOfStreamError,
  type StreamSocket,
  ZocaloError,
} from "../../index.ts";
import { wrongUsage } from "../terminal/exit-codes.ts";
import { inLanguage } from "../terminal/language.ts";
import type { CommandContext } from "../terminal/run-command.ts";
import { FRAMED_DATAGRAM, type FramingFlags, framingOf, type LineCodec } from "./framing-option.ts";
import { type ConnectFlags, openConnection } from "./open-connection.ts";
import { clientTls } from "./tls-flags.ts";

/** The options that say how. */
export interface ExchangeFlags extends ConnectFlags, FramingFlags {}

/** What came back, and from whom. */
export interface Reply {
  readonly data: Buffer;
  readonly from: Address;
}

/** Sends messages, and receives replies. */
export interface Exchange {
  /** So many replies may answer one message. */
  readonly mostReplies: number;
  send(message: string, signal: AbortSignal): Promise<unknown>;
  /** The next reply; null when no more can come. */
  receive(timeoutMs: number, signal: AbortSignal): Promise<Reply | null>;
  close(): Promise<void>;
  /** Ends it because of an error. */
  abort(error: unknown): Promise<void>;
}

/** Opens a datagram socket: a message is a datagram, and so is a reply. */
export async function openDatagrams(
  address: Address,
  flags: ExchangeFlags,
  context: CommandContext,
): Promise<Exchange> {
  refuseConnectionFlags(address, flags);
  const toMany = address.isMulticast || address.isBroadcast;
  const to = toMany ? address.with({ params: {} }) : undefined;
  const box = await openDatagramSocket(address, toMany, context.stop);
  context.output.detail(
    { event: "open", local: String(box.localAddress), remote: String(address) },
    `sending from ${String(box.localAddress)} to ${String(address)}`,
  );
  return {
    mostReplies: toMany ? Number.POSITIVE_INFINITY : 1,
    send: (message, signal) => box.send(message, to, { signal }),
    receive: (timeoutMs, signal) => box.receive({ timeoutMs, signal }),
    close: () => box.close(),
    abort: () => box.close(),
  };
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

const noConnections = inLanguage({
  en: (flag: string) => `${flag} does not work over UDP, which has no connections; see --wait`,
  es: (flag) => `${flag} no se puede usar por UDP, que no tiene conexiones; mira --wait`,
});

/** What is about connections is refused, not ignored. */
function refuseConnectionFlags(address: Address, flags: ExchangeFlags): void {
  clientTls(address, flags);
  if (flags.framing !== undefined) throw wrongUsage(FRAMED_DATAGRAM, String(address));
  const given =
    flags.waitForServer !== undefined ? "--wait-for-server" : flags.timeout !== undefined ? "--timeout" : "";
  if (given === "") return;
  throw wrongUsage(noConnections(given), String(address));
}

/** A reply is a line; a longer one is an error, so that a server cannot fill the memory. */
const MAX_REPLY_BYTES = 1_048_576;

/** Opens a connection: a message is a line, and so is a reply, unless the framing says otherwise. */
export async function openMessages(address: Address, flags: ExchangeFlags, context: CommandContext): Promise<Exchange> {
  const codec = framingOf(flags, String(address));
  const socket = await openConnection(address, flags, context);
  const { send, receive } = codec === undefined ? exchangeLines(socket) : exchangeMessages(socket, codec);
  return {
    mostReplies: 1,
    send,
    receive: async (timeoutMs, signal) => {
      const data = await receive(timeoutMs, signal);
      return data === null ? null : { data, from: address };
    },
    close: () => socket.close(),
    abort: async (error) => socket.abort(error),
  };
}

interface ConnectionExchange {
  readonly send: Exchange["send"];
  readonly receive: (timeoutMs: number, signal: AbortSignal) => Promise<Buffer | null>;
}

/** Lines as they are, with their ends. What stands before the end of the stream is one too. */
function exchangeLines(socket: StreamSocket): ConnectionExchange {
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

function exchangeMessages(socket: StreamSocket, codec: LineCodec): ConnectionExchange {
  const messages = socket.framed(codec);
  return {
    send: async (message, signal) => {
      await messages.send(Buffer.from(message), { signal });
      await messages.flush({ signal });
    },
    receive: (timeoutMs, signal) => messages.receive({ timeoutMs, signal }),
  };
}

/** `zocalo listen` on udp:. */

import {
  type Address,
  bind,
  type DatagramHandler,
  type DatagramServer,
  type DatagramSocket,
  serveDatagrams,
  type ServeDatagramsOptions,
  ZocaloError,
} from "../../index.ts";
import { toCrlf } from "../terminal/crlf.ts";
import { EXIT, wrongUsage } from "../terminal/exit-codes.ts";
import { inLanguage } from "../terminal/language.ts";
import { asLine, quantity, toHexDump } from "../terminal/visible-text.ts";
import type { Output } from "../terminal/output.ts";
import { type CommandContext, until } from "../terminal/run-command.ts";
import type { DataInput } from "../terminal/standard-streams.ts";
import { execDatagram } from "./exec.ts";
import { sayListening } from "./listen-streams.ts";
import type { ListenFlags } from "./listen-flags.ts";
import { datagramReplies } from "./replies.ts";
import { serverTls } from "./tls-flags.ts";

const NO_CONNECTIONS = inLanguage({
  en: "--keep-open does not work over UDP, which has no connections",
  es: "--keep-open no se puede usar por UDP, que no tiene conexiones",
});

/** Each datagram is a process for a moment. The others wait in the receive queue. */
const MAX_CHILDREN = 32;

/** What the handlers may take to come to their end when the server is asked to stop. */
const CLOSE_MS = 5000;

/** Runs the command on a datagram address. */
export async function listenDatagrams(address: Address, flags: ListenFlags, context: CommandContext): Promise<number> {
  // Refuses the flags of TLS.
  await serverTls(address, flags);
  if (flags.keepOpen === true) throw wrongUsage(NO_CONNECTIONS, String(address));
  const handler = handlerOf(flags, context.output);
  if (handler !== undefined) return await replyToAll(address, handler, flags, context);
  return await showAll(address, flags, context);
}

/** What answers, if anything does. */
function handlerOf(flags: ListenFlags, output: Output): DatagramHandler | undefined {
  const { exec, reply } = flags;
  if (exec !== undefined) {
    return ({ data, from, maxReplyBytes }, { localAddress }) =>
      execDatagram(exec, data, { local: localAddress, remote: from }, maxReplyBytes, output);
  }
  return reply === undefined ? undefined : ({ data }) => datagramReplies[reply](data);
}

async function replyToAll(
  address: Address,
  handler: DatagramHandler,
  flags: ListenFlags,
  { output, stop }: CommandContext,
): Promise<number> {
  const served = new AbortController();
  // A command on this machine may answer at length; one that the world can ask could be used against others.
  const guarded = flags.exec === undefined || flags.public === true;
  const options: ServeDatagramsOptions = {
    replies: guarded ? "guarded" : "free",
    limits: {
      maxConcurrentRequests: flags.once === true ? 1 : flags.exec === undefined ? undefined : MAX_CHILDREN,
      maxAmplification: guarded ? 1 : undefined,
    },
    onError: (error) => output.problem(error),
  };
  const told: DatagramHandler = async (request, context) => {
    served.abort();
    tellDatagram(output, request.from, request.data);
    return await handler(request, context);
  };
  const server: DatagramServer = await serveDatagrams(address, told, options);
  sayListening(output, server.localAddress);
  await until(flags.once === true ? AbortSignal.any([stop, served.signal]) : stop);
  await server.close({ timeoutMs: CLOSE_MS });
  return EXIT.done;
}

/** Shows what arrives, and sends the lines of stdin to whoever wrote last. */
async function showAll(
  address: Address,
  flags: ListenFlags,
  { output, stdin, stdout, stop }: CommandContext,
): Promise<number> {
  const box = await bind(address);
  sayListening(output, box.localAddress);
  const shown = flags.hex === true ? toHexDump() : asLine;
  const answering = new AbortController();
  const end = (): void => answering.abort(stop.reason);
  stop.addEventListener("abort", end, { once: true });
  let last: Address | undefined;
  try {
    do {
      const { data, from } = await box.receive({ signal: stop });
      tellDatagram(output, from, data);
      if (last === undefined && flags.once !== true) {
        void answer(box, inputLines(stdin, answering.signal), () => last ?? from, flags, output);
      }
      last = from;
      await stdout.write(shown(data));
    } while (flags.once !== true);
  } finally {
    answering.abort();
    stop.removeEventListener("abort", end);
    await box.close();
  }
  return EXIT.done;
}

/** Sends line after line. A line that cannot be sent is told of; the next one is tried. */
async function answer(
  box: DatagramSocket,
  lines: AsyncIterable<Buffer>,
  to: () => Address,
  flags: ListenFlags,
  output: Output,
): Promise<void> {
  const sent = flags.crlf === true ? toCrlf() : (line: Uint8Array) => line;
  try {
    for await (const line of lines) await box.send(sent(line), to()).catch((error: unknown) => output.warning(error));
  } catch (error) {
    // An abort says that the command has come to its end.
    if (error instanceof ZocaloError && !box.signal.aborted) output.warning(error);
  }
}

function tellDatagram(output: Output, from: Address, data: Buffer): void {
  output.detail(
    { event: "datagram", from: String(from), bytes: data.length },
    `from ${String(from)}, ${quantity(data.length, "byte")}`,
  );
}

const LF = 0x0a;
/** A line without an end must not fill the memory; what is longer than a datagram cannot be sent anyway. */
const MAX_LINE_BYTES = 65_536;

/** The lines with their ends. What stands behind the last line end is a line too. */
export async function* inputLines(input: DataInput, signal: AbortSignal): AsyncGenerator<Buffer, void, undefined> {
  let rest: Buffer = Buffer.alloc(0);
  for (let bytes = await input.read(signal); bytes !== null; bytes = await input.read(signal)) {
    rest = Buffer.concat([rest, bytes]);
    let begin = 0;
    for (let end = rest.indexOf(LF, begin); end !== -1; end = rest.indexOf(LF, begin)) {
      yield rest.subarray(begin, end + 1);
      begin = end + 1;
    }
    rest = rest.subarray(begin);
    if (rest.length > MAX_LINE_BYTES) {
      yield rest;
      rest = Buffer.alloc(0);
    }
  }
  if (rest.length > 0) yield rest;
}

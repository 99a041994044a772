/** `zocalo listen` on tcp:, tls: and unix:. */

import {
  type Address,
  ConnectionError,
  type FramedStream,
  listen,
  type Listener,
  type ListenOptions,
  serve,
  type StreamSocket,
} from "../../index.ts";
import { EXIT } from "../terminal/exit-codes.ts";
import type { Output } from "../terminal/output.ts";
import { quantity } from "../terminal/visible-text.ts";
import { type CommandContext, until } from "../terminal/run-command.ts";
import { connectionFacts, connectionText, endFacts } from "./describe-socket.ts";
import { execStream } from "./exec.ts";
import { echoCodec, type FramingName, framingOf, holdsValues, type LineCodec } from "./framing-option.ts";
import { join, joinMessages, type JoinOptions } from "./join.ts";
import type { ListenFlags } from "./listen-flags.ts";
import { CHARGEN_PATTERN, type ReplyName, streamReplies, type StreamReply, timeText } from "./replies.ts";
import { serverTls } from "./tls-flags.ts";

/** Each connection is a process: more than this many would rather harm the machine than serve anybody. */
const MAX_CHILDREN = 100;

/** A peer of a server may be silent for so long; so may a child whose peer is gone. */
const IDLE_MS = 300_000;

/** What the handlers may take to come to their end when the server is asked to stop. */
const CLOSE_MS = 5000;

/** Runs the command on a stream address. */
export async function listenStreams(address: Address, flags: ListenFlags, context: CommandContext): Promise<number> {
  const options: ListenOptions = {
    tls: await serverTls(address, flags),
    limits: { maxConnections: flags.exec === undefined ? undefined : MAX_CHILDREN },
  };
  const codec = framingOf(flags, String(address));
  const reply = replyOf(flags, codec, context.output);
  if (reply === undefined) return await joinConnections(address, flags, codec, options, context);
  if (flags.once === true) return await replyOnce(address, reply, options, context);
  return await replyToAll(address, reply, options, context);
}

/** The line that says that the server is ready. */
export function sayListening(output: Output, local: Address): void {
  output.say({ event: "listening", address: String(local) }, `listening on ${output.colours.bold(String(local))}`);
}

function replyOf(flags: ListenFlags, codec: LineCodec | undefined, output: Output): StreamReply | undefined {
  const { exec, framing, reply } = flags;
  if (exec !== undefined) return execStream(exec, output);
  if (reply === undefined) return undefined;
  return codec === undefined || framing === undefined ? streamReplies[reply] : messageReply(reply, framing, codec);
}

async function replyToAll(
  address: Address,
  reply: StreamReply,
  options: ListenOptions,
  { output, stop }: CommandContext,
): Promise<number> {
  const handler = async (peer: StreamSocket): Promise<void> => {
    watch(peer, output);
    await reply(peer, stop);
  };
  const server = await serve(address, handler, {
    ...options,
    timeouts: { idleMs: IDLE_MS },
    onError: (error) => output.problem(error),
  });
  sayListening(output, server.localAddress);
  await until(stop);
  const { finished, cut } = await server.close({ timeoutMs: CLOSE_MS });
  output.detail(
    { event: "stopped", finished, cut },
    `stopped: ${quantity(finished, "connection")} finished, ${cut} cut`,
  );
  return EXIT.done;
}

async function replyOnce(
  address: Address,
  reply: StreamReply,
  options: ListenOptions,
  { output, stop }: CommandContext,
): Promise<number> {
  const listener = await listen(address, { ...options, timeouts: { idleMs: IDLE_MS } });
  sayListening(output, listener.localAddress);
  const peer = await lastPeer(listener, stop);
  watch(peer, output);
  try {
    await reply(peer, stop);
    await peer.close();
  } catch (error) {
    peer.abort(error);
    throw error;
  }
  return EXIT.done;
}

async function joinConnections(
  address: Address,
  flags: ListenFlags,
  codec: LineCodec | undefined,
  options: ListenOptions,
  context: CommandContext,
): Promise<number> {
  const { output, stdin, stdout, stop } = context;
  const listener = await listen(address, options);
  sayListening(output, listener.localAddress);
  const joining: JoinOptions = { framing: flags.framing, crlf: flags.crlf, hex: flags.hex, emptyInput: "wait" };
  const talkTo = async (peer: StreamSocket): Promise<void> => {
    watch(peer, output);
    const { inputEnded } =
      codec === undefined
        ? await join(peer, stdin, stdout, joining, stop)
        : await joinMessages(peer, codec, context, joining);
    output.detail({ event: "joined", inputEnded }, inputEnded ? "stdin was sent to its end" : "the peer ended first");
  };
  if (flags.keepOpen !== true) await talkTo(await lastPeer(listener, stop));
  else {
    for (;;) {
      // Of many peers, one that breaks off is no failure of the command.
      await talkTo(await nextPeer(listener, stop)).catch((error: unknown) => {
        if (!(error instanceof ConnectionError)) throw error;
        output.problem(error);
      });
    }
  }
  return EXIT.done;
}

/** The next connection. The listener is closed when none comes. */
async function nextPeer(listener: Listener, stop: AbortSignal): Promise<StreamSocket> {
  try {
    return await listener.accept({ signal: stop });
  } catch (error) {
    await listener.close();
    throw error;
  }
}

/** The only connection: the listener is closed behind it. */
async function lastPeer(listener: Listener, stop: AbortSignal): Promise<StreamSocket> {
  const peer = await nextPeer(listener, stop);
  await listener.close();
  return peer;
}

/** Tells of a connection and of its end. */
function watch(peer: StreamSocket, output: Output): void {
  const facts = connectionFacts(peer);
  output.detail({ event: "open", ...facts }, `open: ${connectionText(facts)}`);
  void peer.closed.then((end) => {
    const { how } = end;
    const text = `${how}: ${facts.remote}, ${quantity(peer.bytesReceived, "byte")} received, ${peer.bytesSent} sent`;
    output.detail({ event: "close", ...endFacts(peer, end) }, text);
  });
}

type Messages = FramedStream<Uint8Array, Buffer>;

/** A service in messages instead of bytes. */
function messageReply(name: ReplyName, framing: FramingName, codec: LineCodec): StreamReply {
  const written = (text: string): Buffer => Buffer.from(holdsValues(framing) ? JSON.stringify(text) : text);
  return async (socket: StreamSocket, stop: AbortSignal) => {
    const messages = socket.framed(name === "echo" ? echoCodec(framing) : codec);
    if (name === "time") await messages.send(written(timeText()));
    else if (name === "chargen") await chargen(messages, written, stop);
    else await answerEach(messages, name, stop);
  };
}

async function answerEach(messages: Messages, name: "echo" | "upper" | "discard", stop: AbortSignal): Promise<void> {
  for await (const message of messages.messages({ until: stop })) {
    if (name === "echo") await messages.send(message);
    if (name === "upper") await messages.send(Buffer.from(message.toString().toUpperCase()));
  }
}

/** The lines of the pattern of RFC 864, each a message, until the peer closes; what arrives is thrown away. */
async function chargen(messages: Messages, written: (text: string) => Buffer, stop: AbortSignal): Promise<void> {
  const lines = String(CHARGEN_PATTERN).trimEnd().split("\r\n").map(written);
  const throwingAway = answerEach(messages, "discard", stop).catch(() => undefined);
  try {
    while (!stop.aborted) await messages.sendMany(lines);
  } catch (error) {
    // The peer has seen enough: that is how this service ends.
    if (!messages.signal.aborted) throw error;
  }
  await throwingAway;
}

/** `--framing`: where messages begin and end on a connection, and how one is shown and typed as a line. */

import { type Command, Option } from "commander";
import {
  bytes,
  chain,
  cobs,
  type Codec,
  json,
  lengthPrefix,
  lines,
  type MessageFormat,
  msgpack,
  netstring,
  slip,
  varintPrefix,
} from "../../framing.ts";
import { ZocaloError } from "../../index.ts";
import { CommandError, wrongUsage } from "../terminal/exit-codes.ts";
import { inLanguage } from "../terminal/language.ts";
import { InexactJson, jsonText, parseExactly, safeJson } from "../terminal/json-text.ts";

/** Messages as lines: what is typed is sent as a message, what is received is shown. */
export type LineCodec = Codec<Uint8Array, Buffer>;

/** A line of stdin is held until its end comes; so is a line that arrives. */
const MAX_LINE_BYTES = 8_388_608;

const LF = 0x0a;

const TEXTS = inLanguage({
  en: {
    help:
      "exchange messages, not bytes: send each line of input as one, and print each one on a line. json: one JSON value " +
      "a line. lengthN: N bytes of length before each message, big-endian. msgpack: length4 with MessagePack, typed and " +
      "printed as JSON. With --hex, messages are hexadecimal digits",
    datagram: "--framing does not work over UDP: a datagram is a message already",
    crlf: "--crlf does not work with --framing, which says how a message ends",
    hex: (framing: string) => `--hex does not work with --framing ${framing}: messages are shown as JSON`,
    notJson: 'the message is not JSON, which this framing needs; a text is written with quotes, as "hola"',
    tooLong: (most: number) => `a line of stdin has more than ${most} bytes; write shorter messages`,
  },
  es: {
    help:
      "intercambia mensajes, no bytes: envía cada línea como uno, y escribe cada uno en una línea. json: un valor de JSON " +
      "por línea. lengthN: N bytes de longitud delante de cada mensaje, el mayor primero. msgpack: length4 con " +
      "MessagePack, que se escribe como JSON. Con --hex, los mensajes son cifras hexadecimales",
    datagram: "--framing no se puede usar por UDP: un datagrama ya es un mensaje",
    crlf: "--crlf no se puede usar con --framing, que ya dice cómo termina un mensaje",
    hex: (framing) => `--hex no se puede usar con --framing ${framing}: los mensajes se escriben como JSON`,
    notJson: 'el mensaje no es JSON, y esta delimitación lo pide; un texto va entre comillas, como "hola"',
    tooLong: (most) => `una línea de stdin tiene más de ${most} bytes; escribe mensajes más cortos`,
  },
});

/** Why it is refused over UDP. */
export const FRAMED_DATAGRAM: string = TEXTS.datagram;

/** Most values in one message; more than a person looks at. */
const MAX_VALUES = 100_000;

const MESSAGEPACK: MessageFormat<unknown> = msgpack({ maxValues: MAX_VALUES });

/** JSON as it is typed and as it comes: it is looked at, and not written anew. */
const JSON_TEXT: MessageFormat<Uint8Array, Buffer> = {
  ...asTheyAre(json({ maxValues: MAX_VALUES, inexact: "round" })),
  encode(line) {
    jsonOf(line, JSON.parse);
    return line;
  },
};

/** MessagePack as its JSON text. */
const MESSAGEPACK_TEXT: MessageFormat<Uint8Array, Buffer> = {
  name: "msgpack",
  decode: (wire, start, end) => Buffer.from(jsonText(MESSAGEPACK.decode(wire, start, end), "hex")),
  encode: (line) => MESSAGEPACK.encode(jsonOf(line, parseExactly)),
};

const CODECS = {
  lines: (): LineCodec => chain(lines({ maxLineBytes: MAX_LINE_BYTES }), bytes()),
  length1: (): LineCodec => lengthPrefix({ bytes: 1 }),
  length2: (): LineCodec => lengthPrefix({ bytes: 2 }),
  length4: (): LineCodec => lengthPrefix(),
  varint: (): LineCodec => varintPrefix(),
  netstring: (): LineCodec => netstring(),
  cobs: (): LineCodec => cobs(),
  slip: (): LineCodec => slip(),
  json: (): LineCodec => chain(lines({ maxLineBytes: MAX_LINE_BYTES }), JSON_TEXT),
  msgpack: (): LineCodec => chain(lengthPrefix(), MESSAGEPACK_TEXT),
};

/** What `--framing` can be. */
export type FramingName = keyof typeof CODECS;

/** The flags of a command that `--framing` has to go together with. */
export interface FramingFlags {
  readonly framing?: FramingName;
  readonly hex?: boolean;
  readonly crlf?: boolean;
}

/** Adds the option. */
export function addFramingOption(command: Command): Command {
  return command.addOption(new Option("--framing <codec>", TEXTS.help).choices(Object.keys(CODECS)));
}

/** The codec that the flags ask for; undefined for bytes as they come. */
export function framingOf({ framing, hex, crlf }: FramingFlags, address: string): LineCodec | undefined {
  if (framing === undefined) return undefined;
  if (crlf === true) throw wrongUsage(TEXTS.crlf, address);
  if (hex === true && holdsValues(framing)) {
    throw wrongUsage(TEXTS.hex(framing), address);
  }
  return CODECS[framing]();
}

/** Whether messages are values, so that a line must be JSON. */
export function holdsValues(framing: FramingName | undefined): boolean {
  return framing === "json" || framing === "msgpack";
}

/** The codec for a service that sends messages back as they came, whatever they would be shown as. */
export function echoCodec(framing: FramingName): LineCodec {
  return framing === "msgpack" ? chain(lengthPrefix(), asTheyAre(MESSAGEPACK)) : CODECS[framing]();
}

/** One message as one line. */
export function shownMessage(
  message: Buffer,
  { framing, hex }: { readonly framing?: FramingName | undefined; readonly hex?: boolean | undefined },
): Buffer {
  if (hex === true) {
    return Buffer.from(`${Array.from(message, (byte) => byte.toString(16).padStart(2, "0")).join(" ")}\n`);
  }
  return Buffer.concat([holdsValues(framing) ? Buffer.from(safeJson(message.toString())) : message, Buffer.of(LF)]);
}

/** The bytes of messages, which are valid in a format. */
function asTheyAre(format: MessageFormat<unknown>): MessageFormat<Uint8Array, Buffer> {
  return {
    name: format.name,
    decode(wire, start, end) {
      format.decode(wire, start, end);
      return Buffer.from(wire.subarray(start, end));
    },
    encode: (message) => message,
  };
}

/** The value of a line that was typed. */
function jsonOf(line: Uint8Array, parse: (text: string) => unknown): unknown {
  try {
    return parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(line));
  } catch (cause) {
    const detail = cause instanceof InexactJson ? cause.message : TEXTS.notJson;
    throw new CommandError("FRAME_INVALID", { op: "send", side: "local", detail, cause });
  }
}

/** How the input ended. */
type InputEnd = "ended" | "silent";

/**
 * The lines without their ends (LF or CR LF), wherever the bytes are cut. What stands behind the last line end is a message
 * too. Answers how the input ended.
 *
 * @param read - The next bytes; null at the end; `silent` when no more is waited for.
 */
export async function* inputMessages(
  read: () => Promise<Buffer | null | "silent">,
): AsyncGenerator<Buffer, InputEnd, undefined> {
  const decoder = chain(lines({ maxLineBytes: MAX_LINE_BYTES }), bytes()).createDecoder();
  for (;;) {
    const input = await read();
    if (input === null || input === "silent") {
      const rest = decoder.takeRest();
      if (rest.length > 0) yield rest;
      return input === null ? "ended" : "silent";
    }
    const messages: Buffer[] = [];
    try {
      decoder.decode(input, 0, input.length, (message) => messages.push(decoder.own(message)));
    } catch (error) {
      if (!(error instanceof ZocaloError)) throw error;
      const detail = TEXTS.tooLong(MAX_LINE_BYTES);
      throw new CommandError("FRAME_TOO_LONG", { op: "stdin", side: "local", detail, cause: error });
    }
    yield* messages;
  }
}

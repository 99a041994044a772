/** `--framing`: where messages begin and end on a connection, and how one is shown and typed as a line. */

import { type Command, Option } from "commander";
import { UsageError } from "../index.ts";
import {
  bytes,
  chain,
  type Codec,
  cobs,
  json,
  lengthPrefix,
  lines,
  type MessageFormat,
  msgpack,
  netstring,
  slip,
  varintPrefix,
} from "../framing.ts";
import { wrongUsage } from "./exit-codes.ts";
import { jsonText } from "./json-text.ts";

/** What `--framing` can be. */
export type FramingName =
  | "lines"
  | "length1"
  | "length2"
  | "length4"
  | "varint"
  | "netstring"
  | "cobs"
  | "slip"
  | "json"
  | "msgpack";

/** Messages as lines: what is typed is sent as a message, what is received is shown. */
export type LineCodec = Codec<Uint8Array, Buffer>;

/** A line of stdin is held until its end comes; so is a line that arrives. */
export const MAX_LINE_BYTES = 8_388_608;

/** Why it is refused over UDP. */
export const FRAMED_DATAGRAM = "--framing has no meaning over UDP: a datagram is a message already";

const CODECS: Readonly<Record<FramingName, () => LineCodec>> = {
  lines: () => chain(lines({ maxLineBytes: MAX_LINE_BYTES }), bytes()),
  length1: () => lengthPrefix({ bytes: 1 }),
  length2: () => lengthPrefix({ bytes: 2 }),
  length4: () => lengthPrefix(),
  varint: () => varintPrefix(),
  netstring: () => netstring(),
  cobs: () => cobs(),
  slip: () => slip(),
  json: () => chain(lines({ maxLineBytes: MAX_LINE_BYTES }), asJsonText(json())),
  msgpack: () => chain(lengthPrefix(), asJsonText(msgpack())),
};

const NAMES: readonly FramingName[] = Object.keys(CODECS) as FramingName[];

/** The flags of a command that `--framing` has to go together with. */
export interface FramingFlags {
  readonly framing?: FramingName;
  readonly hex?: boolean;
  readonly crlf?: boolean;
}

/** Adds the option. */
export function addFramingOption(command: Command): Command {
  return command.addOption(
    new Option(
      "--framing <codec>",
      "exchange messages, not bytes: each line of input is one, and each that arrives is shown on a line; json is a " +
        "JSON value a line, lengthN has N bytes of length before each message, big-endian, msgpack is length4 with " +
        "MessagePack, written and shown as JSON; with --hex messages are shown as hexadecimal digits",
    ).choices(NAMES),
  );
}

/** The codec that the flags ask for; undefined for bytes as they come. */
export function framingOf({ framing, hex, crlf }: FramingFlags, address: string): LineCodec | undefined {
  if (framing === undefined) return undefined;
  if (crlf === true) throw wrongUsage("--crlf has no meaning with --framing, which says how a message ends", address);
  if (hex === true && holdsValues(framing)) {
    throw wrongUsage(`--hex has no meaning with --framing ${framing}: messages are shown as JSON`, address);
  }
  return CODECS[framing]();
}

/** Whether messages are values, so that a line must be JSON. */
export function holdsValues(framing: FramingName | undefined): boolean {
  return framing === "json" || framing === "msgpack";
}

/** One message as one line. */
export function shownMessage(message: Uint8Array, hex: boolean | undefined): Buffer {
  if (hex !== true) return Buffer.concat([message, Buffer.of(0x0a)]);
  return Buffer.from(`${Array.from(message, (byte) => byte.toString(16).padStart(2, "0")).join(" ")}\n`);
}

/** Values as their JSON text. What JSON has no form for is shown in the nearest: bytes as hexadecimal digits. */
function asJsonText(format: MessageFormat<unknown>): MessageFormat<Uint8Array, Buffer> {
  return {
    name: format.name,
    decode: (wire, start, end) => Buffer.from(jsonText(format.decode(wire, start, end), showBytes)),
    encode: (line) => format.encode(parsedJson(line)),
  };
}

function parsedJson(line: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(line)) as unknown;
  } catch (cause) {
    const detail = `the message is not JSON, which this framing needs; a text is written with quotes, as "hola"`;
    throw new UsageError("FRAME_INVALID", { op: "send", side: "local", detail, cause });
  }
}

function showBytes(_key: string, value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value;
}

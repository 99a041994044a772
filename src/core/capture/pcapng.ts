/** The blocks of a pcapng file of IP packets (draft-ietf-opsawg-pcapng). */

const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE_DESCRIPTION = 1;
const ENHANCED_PACKET = 6;
const BYTE_ORDER = 0x1a2b3c4d;
/** Packets begin with their IP header: LINKTYPE_RAW. */
const LINK_TYPE_RAW = 101;
const OPTION = { end: 0, comment: 1, interfaceName: 2, userApplication: 4 } as const;

/** The length of an option has 16 bits; a character has at most three bytes. */
const MOST_CHARACTERS = 20_000;

/** The beginning of a file. */
export function sectionHeader(application: string): Buffer {
  // Version 1.0, and a length that is not known.
  const body = words(BYTE_ORDER, 1, 0xffffffff, 0xffffffff);
  return block(SECTION_HEADER, body, OPTION.userApplication, application);
}

/** Announces an interface; they are numbered from 0 on. */
export function interfaceDescription(name: string): Buffer {
  return block(INTERFACE_DESCRIPTION, words(LINK_TYPE_RAW, 0), OPTION.interfaceName, name);
}

/** A packet, at a moment in microseconds. */
export function enhancedPacket(interfaceId: number, atUs: number, bytes: Buffer, comment?: string): Buffer {
  const head = words(interfaceId, Math.floor(atUs / 2 ** 32), atUs % 2 ** 32, bytes.length, bytes.length);
  return block(ENHANCED_PACKET, Buffer.concat([head, padded(bytes)]), OPTION.comment, comment);
}

/** A block with at most one option. */
function block(type: number, body: Buffer, code: number, text: string | undefined): Buffer {
  const content = text === undefined ? body : Buffer.concat([body, option(code, text), option(OPTION.end, "")]);
  const head = words(type, content.length + 12);
  return Buffer.concat([head, content, head.subarray(4)]);
}

function words(...numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(numbers.length * 4);
  for (const [index, number] of numbers.entries()) bytes.writeUInt32LE(number, index * 4);
  return bytes;
}

function option(code: number, whole: string): Buffer {
  const text = whole.slice(0, MOST_CHARACTERS);
  const head = Buffer.alloc(4);
  head.writeUInt16LE(code, 0);
  head.writeUInt16LE(Buffer.byteLength(text), 2);
  return Buffer.concat([head, padded(Buffer.from(text))]);
}

/** Everything begins at a multiple of four. */
function padded(bytes: Buffer): Buffer {
  const rest = bytes.length % 4;
  return rest === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(4 - rest)]);
}

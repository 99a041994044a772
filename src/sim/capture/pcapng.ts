/** Writes captures of packets in the pcapng format (draft-ietf-opsawg-pcapng). */

const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE_DESCRIPTION = 1;
const ENHANCED_PACKET = 6;
const BYTE_ORDER = 0x1a2b3c4d;
/** Packets begin with their IP header: LINKTYPE_RAW. */
const LINK_TYPE_RAW = 101;
const OPTION = { end: 0, comment: 1, interfaceName: 2, userApplication: 4 } as const;
const DRAWS = 0x1_0000_0000;

/** The beginning of a file. */
export function sectionHeader(application: string): Buffer {
  const body = Buffer.alloc(16, 0xff);
  body.writeUInt32LE(BYTE_ORDER, 0);
  body.writeUInt16LE(1, 4);
  body.writeUInt16LE(0, 6);
  return block(SECTION_HEADER, body, option(OPTION.userApplication, application), option(OPTION.end, ""));
}

/** Announces an interface; they are numbered from 0 on. */
export function interfaceDescription(name: string): Buffer {
  const body = Buffer.alloc(8);
  body.writeUInt16LE(LINK_TYPE_RAW, 0);
  return block(INTERFACE_DESCRIPTION, body, option(OPTION.interfaceName, name), option(OPTION.end, ""));
}

/** A packet, at a moment in microseconds. */
export function enhancedPacket(interfaceId: number, atUs: number, bytes: Buffer, comment?: string): Buffer {
  const body = Buffer.alloc(20);
  body.writeUInt32LE(interfaceId, 0);
  body.writeUInt32LE(Math.floor(atUs / DRAWS), 4);
  body.writeUInt32LE(atUs % DRAWS, 8);
  body.writeUInt32LE(bytes.length, 12);
  body.writeUInt32LE(bytes.length, 16);
  const options = comment === undefined ? [] : [option(OPTION.comment, comment), option(OPTION.end, "")];
  return block(ENHANCED_PACKET, body, padded(bytes), ...options);
}

function block(type: number, ...parts: readonly Buffer[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 12);
  const head = Buffer.alloc(8);
  head.writeUInt32LE(type, 0);
  head.writeUInt32LE(length, 4);
  return Buffer.concat([head, ...parts, head.subarray(4)]);
}

function option(code: number, text: string): Buffer {
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

/**
 * The frames of a session, as `docs/wire-protocol.md` describes them. Every frame is a length of four bytes, a type of one
 * byte, and the rest. All numbers are big-endian.
 */

/** Types with this bit carry a message that is numbered: it is counted, acknowledged, and sent again after a loss. */
export const NUMBERED = 0x40;

/** u64 number of the last message that was received. */
export const ACK = 0x10;
/** u32 stream or 0 for the lane, u64 bytes that may have been sent in all. */
export const CREDIT = 0x11;
/** Eight bytes that come back. */
export const PING = 0x12;
/** The eight bytes of a ping. */
export const PONG = 0x13;
/** u8 whether the session survives, u32 milliseconds to wait, u64 number of the last message that is accepted. */
export const GOAWAY = 0x14;
/** u64 number of the last message that was received, JSON object with code and message. */
export const CLOSE = 0x15;

/** u64 place in the log that many sessions share, u16 method, body. */
export const SHARED = 0x16;
/** u64 place: nothing up to there is to come any more. */
export const PLACE = 0x17;
/** The lane of the frames SHARED, as CREDIT names it. */
export const SHARED_LANE = 0xffff_ffff;

/** u16 method, body. */
export const EVENT = 0x40;
/** u32 id, u16 method, u32 remaining milliseconds, body. */
export const CALL = 0x41;
/** u32 id, body. */
export const RESULT = 0x42;
/** u32 id, JSON object with code, message and data. Ends a call or both directions of a stream. */
export const ERROR = 0x43;
/** u32 id. Nobody waits any more for the answer of a call, or for a stream. */
export const CANCEL = 0x44;
/** u32 id, u16 method, u8 directions, body. */
export const OPEN = 0x45;
/** u32 id, body. */
export const ITEM = 0x46;
/** u32 id. No more items follow in this direction. */
export const END = 0x47;

/** Bytes of the length of a frame, which it does not count. */
export const LENGTH_BYTES = 4;
/** Bytes before the payload of a frame: its length and its type. */
export const HEAD_BYTES = 5;
/** Bytes before the body of a message. */
export const EVENT_HEAD_BYTES: number = HEAD_BYTES + 2;
export const SHARED_HEAD_BYTES: number = HEAD_BYTES + 10;
export const CALL_HEAD_BYTES: number = HEAD_BYTES + 10;
export const OPEN_HEAD_BYTES: number = HEAD_BYTES + 7;
export const ITEM_HEAD_BYTES: number = HEAD_BYTES + 4;
/** Where the remaining milliseconds stand in the frame of a call. */
export const CALL_TIMEOUT_AT = 11;
/** Remaining milliseconds of a call without a deadline. */
export const NO_TIMEOUT = 0xffff_ffff;
/** In a frame OPEN: the side that opens the stream sends items. */
export const OPENER_SENDS = 0x01;
/** In a frame OPEN: the side that opens the stream receives items. */
export const OPENER_RECEIVES = 0x02;

const TWO_TO_32 = 0x1_0000_0000;

/** Writes two bytes, without the checks of `writeUInt16BE`. */
export function writeU16(bytes: Buffer, value: number, at: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

/** Reads two bytes, which are there. */
export function readU16(bytes: Buffer, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

/** Writes a whole number from 0 to 2^53 - 1 as eight bytes. */
export function writeU64(bytes: Buffer, value: number, at: number): void {
  bytes.writeUInt32BE(Math.floor(value / TWO_TO_32), at);
  bytes.writeUInt32BE(value % TWO_TO_32, at + 4);
}

/** Reads eight bytes; what is larger than 2^53 is rounded, and larger than any number that is valid. */
export function readU64(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at) * TWO_TO_32 + bytes.readUInt32BE(at + 4);
}

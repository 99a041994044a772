/** The wire form of contracts over datagrams; `docs/wire-protocol.md` has every byte of it. */

/** A message that nobody answers. */
export const EVENT = 1;
/** A question. */
export const CALL = 2;
/** The answer to a call. */
export const RESULT = 3;
/** The answer to a call that failed. */
export const ERROR = 4;
/** Asks for the call once more, with a cookie that shows that the caller has the address that it says. */
export const RETRY = 5;
/** The server speaks another contract, or not this codec. */
export const REFUSAL = 6;

/** The reason of a refusal: the contract of the server has another fingerprint. */
export const CONTRACT_DIFFERS = 1;
/** The reason of a refusal: the server does not know the codec. */
export const CODEC_UNKNOWN = 2;

/** Every datagram begins with these: `ZD`, and the version of this wire form. */
const MAGIC = 0x5a44;
const VERSION = 1;

/** Magic, version, type, codec, fingerprint. */
const HEAD_BYTES = 13;
const ID_BYTES = 8;
/** Where the remaining milliseconds of a call stand. */
const TIMEOUT_AT: number = HEAD_BYTES + ID_BYTES + 2;
/** What stands before the body of an event, and before the cookie of a call. */
const EVENT_HEAD_BYTES: number = HEAD_BYTES + 2;
const CALL_HEAD_BYTES: number = TIMEOUT_AT + 4 + 1;
/** What stands before the body of an answer. */
const ANSWER_HEAD_BYTES: number = HEAD_BYTES + ID_BYTES;

/** The longest cookie. A call leaves room for it, so that it cannot become too large by it. */
export const MAX_COOKIE_BYTES = 32;
/** What a datagram needs beside the body of an event, of a call and of an answer. */
export const EVENT_OVERHEAD_BYTES: number = EVENT_HEAD_BYTES;
export const CALL_OVERHEAD_BYTES: number = CALL_HEAD_BYTES + MAX_COOKIE_BYTES;
export const ANSWER_OVERHEAD_BYTES: number = ANSWER_HEAD_BYTES;

/** The longest text of a refusal: the name and the version of a contract. */
const MAX_OFFER_BYTES = 129;
const NO_TIMEOUT = 0xffff_ffff;

/** Part of a datagram: `bytes[start, end)`. */
export interface BytePlace {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** What every datagram says. */
export interface DatagramHead {
  /** The number of the codec of its body. */
  readonly codec: number;
  /** The fingerprint of the sender's contract. */
  readonly hash: bigint;
}

/** An event that came. */
export interface EventDatagram extends DatagramHead {
  readonly type: typeof EVENT;
  /** The method, by its place in the list of what the server offers. */
  readonly method: number;
  readonly body: BytePlace;
}

/** A call that came. */
export interface CallDatagram extends DatagramHead {
  readonly type: typeof CALL;
  /** Drawn by the caller at random. */
  readonly id: bigint;
  readonly method: number;
  /** How long the caller still waits; Infinity for ever. */
  readonly remainingMs: number;
  /** Empty when the caller has none. */
  readonly cookie: Uint8Array;
  readonly body: BytePlace;
}

/** The answer to a call. Its body is the result, the JSON of the error, the cookie, or the text of the refusal. */
export interface AnswerDatagram extends DatagramHead {
  readonly type: typeof RESULT | typeof ERROR | typeof RETRY | typeof REFUSAL;
  readonly id: bigint;
  /** Of a refusal; else 0. */
  readonly reason: number;
  readonly body: BytePlace;
}

/** Any datagram of this protocol. */
export type ContractDatagram = EventDatagram | CallDatagram | AnswerDatagram;

/** Reads a datagram; undefined for one that is none of this protocol. What it answers are views. */
export function decodeDatagram(bytes: Buffer): ContractDatagram | undefined {
  if (bytes.length < EVENT_HEAD_BYTES || bytes.readUInt16BE(0) !== MAGIC || bytes[2] !== VERSION) return undefined;
  const head = { codec: bytes[4] as number, hash: bytes.readBigUInt64BE(5) };
  const type = bytes[3] as number;
  switch (type) {
    case EVENT:
      return { ...head, type, method: bytes.readUInt16BE(HEAD_BYTES), body: behind(bytes, EVENT_HEAD_BYTES) };
    case CALL:
      return decodeCall(bytes, head);
    case RESULT:
    case ERROR:
    case RETRY:
      if (bytes.length < ANSWER_HEAD_BYTES) return undefined;
      return { ...head, type, id: idOf(bytes), reason: 0, body: behind(bytes, ANSWER_HEAD_BYTES) };
    case REFUSAL: {
      if (bytes.length < ANSWER_HEAD_BYTES + 1) return undefined;
      const reason = bytes[ANSWER_HEAD_BYTES] as number;
      return { ...head, type, id: idOf(bytes), reason, body: behind(bytes, ANSWER_HEAD_BYTES + 1) };
    }
    default:
      return undefined;
  }
}

function decodeCall(bytes: Buffer, head: DatagramHead): CallDatagram | undefined {
  if (bytes.length < CALL_HEAD_BYTES) return undefined;
  const cookieBytes = bytes[CALL_HEAD_BYTES - 1] as number;
  const bodyAt = CALL_HEAD_BYTES + cookieBytes;
  if (cookieBytes > MAX_COOKIE_BYTES || bytes.length < bodyAt) return undefined;
  const ms = bytes.readUInt32BE(TIMEOUT_AT);
  return {
    ...head,
    type: CALL,
    id: idOf(bytes),
    method: bytes.readUInt16BE(ANSWER_HEAD_BYTES),
    remainingMs: ms === NO_TIMEOUT ? Number.POSITIVE_INFINITY : ms,
    cookie: bytes.subarray(CALL_HEAD_BYTES, bodyAt),
    body: behind(bytes, bodyAt),
  };
}

function idOf(bytes: Buffer): bigint {
  return bytes.readBigUInt64BE(HEAD_BYTES);
}

function behind(bytes: Buffer, start: number): BytePlace {
  return { bytes, start, end: bytes.length };
}

/** An event. The body is copied, here and below. */
export function encodeEvent(head: DatagramHead, method: number, body: BytePlace): Buffer {
  const datagram = begin(EVENT, head, EVENT_HEAD_BYTES, body);
  datagram.writeUInt16BE(method, HEAD_BYTES);
  return datagram;
}

/** A call, with the cookie that the server gave, if it gave one. */
export function encodeCall(
  head: DatagramHead,
  call: { readonly id: bigint; readonly method: number; readonly remainingMs: number; readonly cookie: Uint8Array },
  body: BytePlace,
): Buffer {
  const { id, method, remainingMs, cookie } = call;
  const datagram = begin(CALL, head, CALL_HEAD_BYTES + cookie.length, body);
  datagram.writeBigUInt64BE(id, HEAD_BYTES);
  datagram.writeUInt16BE(method, ANSWER_HEAD_BYTES);
  const ms = Math.min(Math.max(0, Math.ceil(remainingMs)), NO_TIMEOUT - 1);
  datagram.writeUInt32BE(remainingMs === Number.POSITIVE_INFINITY ? NO_TIMEOUT : ms, TIMEOUT_AT);
  datagram[CALL_HEAD_BYTES - 1] = cookie.length;
  datagram.set(cookie, CALL_HEAD_BYTES);
  return datagram;
}

/** A result, an error or a cookie. */
export function encodeAnswer(
  type: typeof RESULT | typeof ERROR | typeof RETRY,
  head: DatagramHead,
  id: bigint,
  body: BytePlace,
): Buffer {
  const datagram = begin(type, head, ANSWER_HEAD_BYTES, body);
  datagram.writeBigUInt64BE(id, HEAD_BYTES);
  return datagram;
}

/** A refusal. What the server offers instead is cut to what `maxBytes` leaves. */
export function encodeRefusal(head: DatagramHead, id: bigint, reason: number, offer: string, maxBytes: number): Buffer {
  const room = Math.max(0, Math.min(MAX_OFFER_BYTES, maxBytes - ANSWER_HEAD_BYTES - 1));
  const text = Buffer.from(offer, "utf8");
  const body = { bytes: text, start: 0, end: Math.min(text.length, room) };
  const datagram = begin(REFUSAL, head, ANSWER_HEAD_BYTES + 1, body);
  datagram.writeBigUInt64BE(id, HEAD_BYTES);
  datagram[ANSWER_HEAD_BYTES] = reason;
  return datagram;
}

function begin(type: number, head: DatagramHead, headBytes: number, body: BytePlace): Buffer {
  const datagram = Buffer.allocUnsafe(headBytes + body.end - body.start);
  datagram.writeUInt16BE(MAGIC, 0);
  datagram[2] = VERSION;
  datagram[3] = type;
  datagram[4] = head.codec;
  datagram.writeBigUInt64BE(head.hash, 5);
  datagram.set(body.bytes.subarray(body.start, body.end), headBytes);
  return datagram;
}

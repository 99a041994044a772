/**
 * What things pin in memory beside the bytes in them, as measured: docs/decisions/0024-what-is-held.md. Every queue of the
 * package that a peer can make long is charged with these.
 */

/** Bytes of one each. */
export const HELD = {
  /** A session without its messages: less without a connection, more with one. */
  session: 2048,
  /** A call, until it is answered; a stream that waits for room to be opened. */
  call: 560,
  /** A call, and an event, that wait for the next session of a client. */
  nextCall: 1500,
  nextEvent: 650,
  /** What is kept to tell a client that its session was closed, beside the sentence. */
  farewell: 512,
  /** A call of the peer, until it is answered. */
  foreignCall: 130,
  /** A handler that runs. */
  handler: 500,
  /** A stream that is open. */
  stream: 1400,
  /** A connection that nobody has accepted, without what it has read ahead. */
  connection: 2200,
  /** A write on a connection that waits, with its promise. */
  write: 500,
  /** The timer or the listener that ends an operation early. */
  deadline: 650,
  /** A datagram that was received, beside its payload. */
  datagram: 320,
  /** A call that sends datagrams, and each of them. */
  send: 900,
  outgoing: 120,
  /** A message that waits to be framed, with its promise. */
  framedSend: 400,
  /** The promise of a message that waits to be sent. */
  sender: 340,
} as const;

/** How many times the bytes of a message its decoded value takes, about, when it is made of small objects and texts. */
export const DECODED = 8;

/** Of one value in an object or an array, and of an object, an array or a view itself. */
const VALUE_BYTES = 8;
const OBJECT_BYTES = 32;
const VIEW_BYTES = 100;
/** So many values of a message are looked at: what it has beyond them counts nothing. */
const MOST_VALUES = 10_000;

/**
 * The memory of a message that a program has handed over, about: texts, bytes, and plain objects and arrays of them. Nothing
 * of the program runs; what cannot be looked into without that counts as one object.
 */
export function memoryOf(message: unknown): number {
  const values = [message];
  let bytes = 0;
  for (let next = 0; next < values.length; next += 1) {
    const value = values[next];
    if (typeof value === "string") bytes += value.length;
    else if (ArrayBuffer.isView(value)) bytes += VIEW_BYTES + value.byteLength;
    else if (typeof value === "object" && value !== null) {
      const parts = partsOf(value);
      bytes += OBJECT_BYTES + parts.length * VALUE_BYTES;
      const most = Math.min(parts.length, MOST_VALUES - values.length);
      for (let index = 0; index < most; index += 1) values.push(parts[index]);
    }
  }
  return bytes;
}

function partsOf(value: object): readonly unknown[] {
  if (Array.isArray(value)) return value;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return [];
  return Object.values(Object.getOwnPropertyDescriptors(value)).map((part: { readonly value?: unknown }) => part.value);
}

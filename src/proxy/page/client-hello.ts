/** The name of the server in the first bytes of a TLS client: all that is read of TLS, which is never opened. */

/** Where the hello may still be without an end. It is longer only with keys that nobody uses. */
export const MOST_HELLO_BYTES = 16_384;

const HANDSHAKE_RECORD = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const HOST_NAME = 0;
/** Version and random, between the head of the hello and its session id (RFC 8446, section 4.1.2). */
const FIXED_BYTES = 34;
/** Names of hosts in ASCII (RFC 6066, section 3); others are none. */
const NAME = /^[\w.-]{1,255}$/;

/** The hello has not ended. */
export const MORE: unique symbol = Symbol("more");

/**
 * The name, undefined when these bytes have none. {@link MORE} while they may still have one.
 *
 * @param bytes - The first bytes that a client has sent.
 */
export function serverNameIn(bytes: Uint8Array): string | typeof MORE | undefined {
  const hello = helloIn(bytes);
  if (hello === undefined || hello === MORE) return hello;
  try {
    return nameIn(new Reader(hello));
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** The body of the hello, put together from its records (RFC 8446, section 5.1). */
function helloIn(bytes: Uint8Array): Uint8Array | typeof MORE | undefined {
  const pieces: number[] = [];
  for (let at = 0; ; ) {
    if (bytes.length > at && bytes[at] !== HANDSHAKE_RECORD) return undefined;
    if (bytes.length > at + 1 && bytes[at + 1] !== 3) return undefined;
    if (bytes.length < at + 5) return MORE;
    const recordBytes = numberAt(bytes, at + 3, 2);
    pieces.push(...bytes.subarray(at + 5, at + 5 + recordBytes));
    if (pieces.length > 0 && pieces[0] !== CLIENT_HELLO) return undefined;
    const helloBytes = pieces.length < 4 ? Number.POSITIVE_INFINITY : numberAt(pieces, 1, 3);
    if (pieces.length >= 4 && helloBytes > MOST_HELLO_BYTES) return undefined;
    if (pieces.length - 4 >= helloBytes) return Uint8Array.from(pieces.slice(4, 4 + helloBytes));
    if (bytes.length < at + 5 + recordBytes) return bytes.length > MOST_HELLO_BYTES ? undefined : MORE;
    at += 5 + recordBytes;
  }
}

function nameIn(hello: Reader): string | undefined {
  hello.take(FIXED_BYTES);
  hello.block(1);
  hello.block(2);
  hello.block(1);
  const extensions = hello.block(2);
  while (extensions.hasMore) {
    const type = extensions.number(2);
    const body = extensions.block(2);
    if (type !== SERVER_NAME) continue;
    const names = body.block(2);
    while (names.hasMore) {
      const isHost = names.number(1) === HOST_NAME;
      const name = String.fromCharCode(...names.block(2).bytes);
      if (isHost) return NAME.test(name) ? name : undefined;
    }
  }
  return undefined;
}

/** Reads numbers and blocks behind their lengths. Throws a RangeError where they do not fit. */
class Reader {
  readonly bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get hasMore(): boolean {
    return this.#at < this.bytes.length;
  }

  take(count: number): Uint8Array {
    const taken = this.bytes.subarray(this.#at, this.#at + count);
    if (taken.length < count) throw new RangeError("the hello ends within a field");
    this.#at += count;
    return taken;
  }

  number(width: number): number {
    return numberAt(this.take(width), 0, width);
  }

  block(width: number): Reader {
    return new Reader(this.take(this.number(width)));
  }
}

function numberAt(bytes: ArrayLike<number>, at: number, width: number): number {
  let value = 0;
  for (let index = at; index < at + width; index += 1) value = value * 256 + (bytes[index] ?? 0);
  return value;
}

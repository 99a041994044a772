/**
 * What things pin in memory beside the bytes in them, as measured: docs/decisions/0023-what-is-held.md. Every queue of the
 * package that a peer can make long is charged with these.
 */

/** Bytes of one each. */
export const HELD = {
  /** A session without its messages. */
  session: 2560,
  /** A call, until it is answered. */
  call: 700,
  /** A call of the peer, until it is answered: it waits, or its handler runs. */
  foreignCall: 400,
  /** A stream, until it is over. */
  stream: 1500,
  /** The promise of a message that waits to be sent. */
  sender: 300,
} as const;

/** How many times the bytes of a message its decoded value takes, in the mean of usual messages. */
export const DECODED = 4;

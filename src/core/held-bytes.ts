/**
 * What things pin in memory beside the bytes in them, as measured: docs/decisions/0023-what-is-held.md. Every queue of the
 * package that a peer can make long is charged with these.
 */

/** Bytes of one each. */
export const HELD = {
  /** A session without its messages. */
  session: 2560,
} as const;

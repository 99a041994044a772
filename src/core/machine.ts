/** The one shape of the machines of the core, so that one loop can drive them all over a socket. */

/**
 * A protocol without input and output: bytes, the end of the stream and the time go in; events, bytes to send and the next
 * deadline come out. It never awaits, never calls back and never reads a clock. All times are milliseconds of one
 * monotonic clock, and must not go back.
 *
 * Whoever drives it, after `receive`, `end`, `onDeadline` or any other call that changes it: takes events until there are
 * none, then takes the output and writes it, then sets one timer for the next deadline.
 *
 * @typeParam Event - What happened. An event is valid until the next call of any method, unless it says otherwise.
 */
export interface Machine<Event> {
  /**
   * Takes bytes from the peer. They are read by `nextEvent`, and must not change until it has answered undefined. Ignored
   * when the machine has failed or ended.
   */
  receive(bytes: Uint8Array, start: number, end: number, now: number): void;
  /** The peer has ended: no bytes will follow. */
  end(now: number): void;
  /** What happened next; undefined when nothing else did. Never throws because of the peer. */
  nextEvent(): Event | undefined;
  /** What is to be sent now, in order; empty when there is nothing. The bytes must not change until they are sent. */
  output(now: number): readonly Uint8Array[];
  /** When `onDeadline` must be called at the latest; Infinity for never. */
  nextDeadline(): number;
  /** Time has passed. Does nothing when it is called too early. */
  onDeadline(now: number): void;
}

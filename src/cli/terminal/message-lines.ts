/** A message that was received, as data for stdout. */

const LF = 0x0a;

/** The message on a line of its own: with a line end, if it has none. */
export function asLine(message: Buffer): Buffer {
  return message.at(-1) === LF ? message : Buffer.concat([message, Buffer.of(LF)]);
}

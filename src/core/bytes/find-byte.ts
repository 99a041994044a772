/** Finding one byte in a range. */

/** The engine's search costs a call; below this distance a loop is faster. */
const LOOP_BYTES = 12;

/**
 * Where `byte` first stands in `bytes[start, end)`; -1 when it does not. Never looks behind `end`, so that a search that
 * is resumed again and again over a growing buffer stays linear.
 */
export function findByte(bytes: Buffer, byte: number, start: number, end: number): number {
  const near = Math.min(end, start + LOOP_BYTES);
  for (let at = start; at < near; at += 1) if (bytes[at] === byte) return at;
  if (near >= end) return -1;
  if (end === bytes.length) return bytes.indexOf(byte, near);
  const found = new Uint8Array(bytes.buffer, bytes.byteOffset + near, end - near).indexOf(byte);
  return found === -1 ? -1 : near + found;
}

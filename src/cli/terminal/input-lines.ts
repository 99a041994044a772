/** Stdin, line by line. */

import type { DataInput } from "./standard-input.ts";

const LF = 0x0a;
/** A line without an end must not fill the memory; what is longer than a datagram cannot be sent anyway. */
const MAX_LINE_BYTES = 65_536;

/** The lines with their ends. What stands behind the last line end is a line too. */
export async function* inputLines(input: DataInput, signal: AbortSignal): AsyncGenerator<Buffer, void, undefined> {
  let rest: Buffer = Buffer.alloc(0);
  for (let bytes = await input.read(signal); bytes !== null; bytes = await input.read(signal)) {
    rest = Buffer.concat([rest, bytes]);
    let begin = 0;
    for (let end = rest.indexOf(LF, begin); end !== -1; end = rest.indexOf(LF, begin)) {
      yield rest.subarray(begin, end + 1);
      begin = end + 1;
    }
    rest = rest.subarray(begin);
    if (rest.length > MAX_LINE_BYTES) {
      yield rest;
      rest = Buffer.alloc(0);
    }
  }
  if (rest.length > 0) yield rest;
}

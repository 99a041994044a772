/** Lines as network protocols write them. */

const CR = 0x0d;
const LF = 0x0a;

/**
 * Puts a CR before each LF that has none, however the bytes are cut. Answers a function that translates piece after piece.
 */
export function toCrlf(): (bytes: Uint8Array) => Uint8Array {
  let previous = 0;
  return (bytes) => {
    const out = new Uint8Array(bytes.length * 2);
    let end = 0;
    for (const byte of bytes) {
      if (byte === LF && previous !== CR) out[end++] = CR;
      out[end++] = byte;
      previous = byte;
    }
    return out.subarray(0, end);
  };
}

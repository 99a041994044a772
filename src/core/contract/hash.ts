/** The fingerprint of a contract. */

const OFFSET_BASIS = 0xcbf29ce484222325n;
const PRIME = 0x100000001b3n;

/**
 * FNV-1a with 64 bits over the UTF-8 of a text, as 16 hexadecimal digits. Not for secrets: it tells contracts apart that
 * were not made to be confused.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9923
 */
export function fnv1a64(text: string): string {
  let hash = OFFSET_BASIS;
  for (const byte of Buffer.from(text, "utf8")) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * PRIME);
  return hash.toString(16).padStart(16, "0");
}

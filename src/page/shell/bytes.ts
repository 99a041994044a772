/** Bytes as people read them. What is made here is text: a page shows it as such, never as markup. */

// Written as the command writes them.
export { bytesText, timeText } from "../../core/text/figures.ts";

/** One line of a dump: where it begins, and its bytes in hexadecimal digits and as text. */
export interface DumpLine {
  readonly at: string;
  readonly hex: string;
  readonly text: string;
}

/** A dump of some bytes. What is not visible ASCII is a middle dot. */
export function dumpOf(bytes: Uint8Array, lineBytes = 16): readonly DumpLine[] {
  const lines: DumpLine[] = [];
  for (let at = 0; at < bytes.length; at += lineBytes) {
    const line = [...bytes.subarray(at, at + lineBytes)];
    lines.push({
      at: at.toString(16).padStart(4, "0"),
      hex: line.map((byte) => byte.toString(16).padStart(2, "0")).join(" "),
      text: line.map((byte) => (byte > 0x1f && byte < 0x7f ? String.fromCharCode(byte) : "·")).join(""),
    });
  }
  return lines;
}

/** The bytes of a text in base64. */
export function bytesFrom(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

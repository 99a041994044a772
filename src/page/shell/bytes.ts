/** Bytes and figures as people read them. What is made here is text: a page shows it as such, never as markup. */

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

/** A number of bytes with a unit of 1,000: `12.3 kB`. */
export function bytesText(bytes: number, language: string): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  const value = bytes / 1000 ** power;
  const digits = power === 0 || value >= 100 ? 0 : 1;
  return `${value.toLocaleString(language, { maximumFractionDigits: digits })} ${units[power]}`;
}

/** A time with the unit that fits it: `4 ms`, `12 s`, `3 min`, `2 h`. */
export function timeText(ms: number, language: string): string {
  const [value, unit] =
    ms < 1000
      ? [ms, "ms"]
      : ms < 60_000
        ? [ms / 1000, "s"]
        : ms < 3_600_000
          ? [ms / 60_000, "min"]
          : [ms / 3_600_000, "h"];
  const digits = unit !== "ms" && value < 10 ? 1 : 0;
  return `${value.toLocaleString(language, { maximumFractionDigits: digits })} ${unit}`;
}

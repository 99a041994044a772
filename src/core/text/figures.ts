/** Figures as people read them: in the command, and in the pages. Programs get plain numbers. */

/** A number of bytes with a unit of 1,000: `12.3 kB`. */
export function bytesText(bytes: number, language: string): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  const value = bytes / 1000 ** power;
  const digits = power === 0 || value >= 100 ? 0 : 1;
  return `${value.toLocaleString(language, { maximumFractionDigits: digits })} ${units[power]}`;
}

/** A time with the unit that fits it: `0.04 ms`, `12 ms`, `1.5 s`, `3 min`, `2 h`. On one machine most round trips are below a millisecond. */
export function timeText(ms: number, language: string): string {
  const [value, unit] =
    ms < 1000
      ? [ms, "ms"]
      : ms < 60_000
        ? [ms / 1000, "s"]
        : ms < 3_600_000
          ? [ms / 60_000, "min"]
          : [ms / 3_600_000, "h"];
  const digits = value >= 10 ? 0 : unit === "ms" ? 2 : 1;
  return `${value.toLocaleString(language, { maximumFractionDigits: digits })} ${unit}`;
}

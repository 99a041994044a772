/** Figures of the page, in the language of now. */

import { bytesText, timeText } from "../shell/bytes.ts";
import { language } from "../shell/language.ts";

/** A number of bytes. */
export function bytes(value: number | undefined): string | undefined {
  return value === undefined ? undefined : bytesText(value, language());
}

/** A time. */
export function time(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : timeText(ms, language());
}

/** A count. */
export function count(value: number | undefined): string | undefined {
  return value?.toLocaleString(language());
}

/** How often in a second, with a digit behind the point where it is small. */
export function rate(value: number | undefined): string | undefined {
  return value?.toLocaleString(language(), { maximumFractionDigits: value < 10 ? 1 : 0 });
}

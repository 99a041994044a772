/** Figures of the page, in the language of now. */

import { bytesText, timeText } from "../shell/bytes.ts";
import { language } from "../shell/language.ts";

/** A number of bytes. */
export function bytes(value: number | undefined): string | undefined {
  return value === undefined ? undefined : bytesText(value, language());
}

/** A time. Below 10 ms it has two digits behind the point: on one machine all round trips are that short. */
export function time(ms: number | undefined): string | undefined {
  if (ms === undefined) return undefined;
  if (ms >= 10 || ms === 0) return timeText(ms, language());
  return `${ms.toLocaleString(language(), { maximumFractionDigits: 2 })} ms`;
}

/** A count. */
export function count(value: number | undefined): string | undefined {
  return value?.toLocaleString(language());
}

/** How often in a second, with a digit behind the point where it is small. */
export function rate(value: number | undefined): string | undefined {
  return value?.toLocaleString(language(), { maximumFractionDigits: value < 10 ? 1 : 0 });
}

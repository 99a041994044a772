/** How long a message may be. */

import { checkOptions, type OptionRule, wholeNumber } from "../options/check-options.ts";

/**
 * Default for messages whose length is announced: 8 MiB. Large enough for documents and pictures, small enough that a
 * hundred such peers fit into memory; Tokio's codec has the same default.
 */
export const DEFAULT_MAX_FRAME_BYTES = 8_388_608;

/** Default for messages that end with a mark: 64 KiB. Nobody writes a longer line by hand. */
export const DEFAULT_MAX_LINE_BYTES = 65_536;

/**
 * The largest limit that can be asked for, just below 512 MiB: a message is one piece of memory, and V8's longest string has
 * that many characters.
 */
export const LARGEST_LIMIT_BYTES = 536_870_888;

/** What the limit of a codec must be. */
export const LIMIT: OptionRule = wholeNumber(1, LARGEST_LIMIT_BYTES);

/** Checks a limit that is no option of a codec. Throws `OPTION_INVALID` unless it is a whole number of bytes from 1 to the largest. */
export function checkedLimit(codec: string, option: string, bytes: number): number {
  checkOptions({ op: codec }, { [option]: bytes }, { [option]: { ...LIMIT, required: true } });
  return bytes;
}

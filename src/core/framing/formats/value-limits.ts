/** How much one message may be when it is a value: not in bytes, but in what they become. */

import { type RulesOf, wholeNumber } from "../../options/check-options.ts";
import { InvalidContent } from "../frame-error.ts";

/** Most maps and arrays inside one another. Deeper data is an attack on the stack, or a mistake. */
export const MAX_VALUE_DEPTH = 64;

/**
 * Default for the values in one message. An empty map is one byte of MessagePack and some 60 of memory: a limit in bytes alone
 * would let 1 MiB become 67 MB, and stop everybody for half a second.
 */
export const DEFAULT_MAX_VALUES = 10_000;

/** As many as a message of the longest that there is can have bytes. */
export const LARGEST_MAX_VALUES = 536_870_888;

/** Options of the formats whose messages are values. */
export interface ValueOptions {
  /**
   * Most values in one message, sent or received: each number, text, array and map counts, also inside others; the keys of
   * maps do not. More is `FRAME_TOO_LONG`. Default 10,000: a value can take sixty times as much memory as it takes on
   * the wire. Both sides must allow it.
   */
  readonly maxValues?: number | undefined;
}

/** What {@link ValueOptions} must look like. */
export const VALUE_RULES: RulesOf<ValueOptions> = { maxValues: wholeNumber(1, LARGEST_MAX_VALUES) };

/** Of a message with more. */
export function tooManyValues(maxValues: number): InvalidContent {
  const detail = `the message has more than ${maxValues} values; send it in parts, or raise the limit on both sides`;
  return new InvalidContent(detail, "FRAME_TOO_LONG");
}

/** Of a message that is nested deeper. */
export function tooDeep(): InvalidContent {
  return new InvalidContent(`maps and arrays are nested deeper than ${MAX_VALUE_DEPTH}`);
}

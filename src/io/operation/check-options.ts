/** What the options and arguments of calls over a network must look like. */

import { FROM_ZERO, type OptionRule } from "../../core/options/check-options.ts";

export * from "../../core/options/check-options.ts";

/** A list of anything. */
export const LIST: OptionRule = { wanted: "an array", holds: Array.isArray, required: true };

/** Things one after the other, maybe without an end. */
export const ITERABLE: OptionRule = {
  wanted: "an array, or something else to iterate over",
  holds: (value) => typeof (value as Iterable<unknown> | null | undefined)?.[Symbol.iterator] === "function",
  required: true,
};

/** What joins messages and bytes. */
export const CODEC: OptionRule = {
  wanted: "a codec, such as lines()",
  holds: (value) => {
    const codec = value as { readonly createDecoder?: unknown; readonly encode?: unknown } | null | undefined;
    return typeof codec?.createDecoder === "function" && typeof codec.encode === "function";
  },
  required: true,
};

/** What ends a call early. */
export const SIGNAL: OptionRule = {
  wanted: "an AbortSignal",
  holds: (value) => typeof (value as AbortSignal | null)?.addEventListener === "function",
};

/** The options of every operation. */
export const OPERATION_RULES: Readonly<Record<"signal" | "timeoutMs", OptionRule>> = {
  signal: SIGNAL,
  timeoutMs: FROM_ZERO,
};

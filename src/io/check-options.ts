/**
 * Checks what a call was given. Programs without types pass anything; found here, it is an error of the call, and not
 * something that happens later, elsewhere, in an event.
 */

import { type ErrorDetails, UsageError } from "../core/errors.ts";

/** Names the call in an error. */
type CallNames = Pick<ErrorDetails, "op" | "local" | "remote">;

/** What a value must be. */
export interface OptionRule {
  /** In the words of the error: `true or false`. */
  readonly wanted: string;
  readonly holds: (value: unknown) => boolean;
  /** May not be missing. */
  readonly required?: boolean;
  /** The rules of its own options, where the value is an object. */
  readonly within?: OptionRules;
}

/** The rule of each option by its name. Options without a rule are not looked at. */
export type OptionRules = Readonly<Record<string, OptionRule>>;

/** True or false. */
export const FLAG: OptionRule = { wanted: "true or false", holds: (value) => typeof value === "boolean" };

/** A string that is not empty. */
export const TEXT: OptionRule = {
  wanted: "a string that is not empty",
  holds: (value) => typeof value === "string" && value !== "",
};

/** A function. */
export const FUNCTION: OptionRule = { wanted: "a function", holds: (value) => typeof value === "function" };

/** A time or a size above zero. */
export const POSITIVE: OptionRule = {
  wanted: "a positive number, or Infinity for no limit",
  holds: (value) => typeof value === "number" && value > 0,
};

/** A time or a size, which may be zero. */
export const FROM_ZERO: OptionRule = {
  wanted: "a number from 0 on, or Infinity for no limit",
  holds: (value) => typeof value === "number" && value >= 0,
};

/** A number of things. */
export function countFrom(least: number): OptionRule {
  return {
    wanted: `a whole number from ${least} on, or Infinity for no limit`,
    holds: (value) => value === Number.POSITIVE_INFINITY || (Number.isSafeInteger(value) && (value as number) >= least),
  };
}

/** A whole number that has an end. */
export function wholeNumber(least: number, most: number): OptionRule {
  return {
    wanted: `a whole number from ${least} to ${most}`,
    holds: (value) => Number.isInteger(value) && (value as number) >= least && (value as number) <= most,
  };
}

/** One of some words. */
export function oneOf(...words: readonly string[]): OptionRule {
  return {
    wanted: `one of ${words.map((word) => `"${word}"`).join(", ")}`,
    holds: (value) => words.includes(value as string),
  };
}

/** A list of strings. */
export const TEXTS: OptionRule = {
  wanted: "an array of strings",
  holds: (value) => Array.isArray(value) && value.every((one) => typeof one === "string"),
};

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

/** An object with options of its own. */
export function options(within: OptionRules, required = false): OptionRule {
  return { wanted: "an object", holds: isObject, within, required };
}

/** The options of every operation, for calls that do not refuse a time-out of zero. */
export const OPERATION_RULES: OptionRules = {
  signal: {
    wanted: "an AbortSignal",
    holds: (value) => typeof (value as AbortSignal | null)?.addEventListener === "function",
  },
  timeoutMs: FROM_ZERO,
};

/** Throws `OPTION_INVALID` for the first option that breaks its rule. Options that are missing are none. */
export function checkOptions(context: CallNames, given: unknown, rules: OptionRules, path = ""): void {
  if (given === undefined) return;
  if (!isObject(given)) throw invalid(context, "options", "an object", given);
  for (const [name, rule] of Object.entries(rules)) {
    const value = given[name];
    if (value === undefined && rule.required !== true) continue;
    if (!rule.holds(value)) throw invalid(context, path + name, rule.wanted, value);
    if (rule.within !== undefined) checkOptions(context, value, rule.within, `${path}${name}.`);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(context: CallNames, name: string, wanted: string, value: unknown): UsageError {
  return new UsageError("OPTION_INVALID", { ...context, detail: `${name} must be ${wanted}, not ${shown(value)}` });
}

/** Short, and never an error of its own: an object may have a `toString` that throws. */
function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

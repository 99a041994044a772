/**
 * Checks what a call was given. Programs without types pass anything; found here, it is an error of the call, and not
 * something that happens later, elsewhere, in an event. Every options object of every public call goes through here.
 */

import { type ErrorDetails, UsageError } from "../errors.ts";
import { nearestName } from "./nearest-name.ts";

type CallNames = Pick<ErrorDetails, "op" | "local" | "remote">;

/** What a value must be. */
export interface OptionRule {
  /** In the words of the error: `true or false`. */
  readonly wanted: string;
  readonly holds: (value: unknown) => boolean;
  readonly required?: boolean;
  /** What counts where it is missing; is given all options of the call. Default: nothing. */
  readonly fallback?: (given: unknown) => unknown;
  /** An error does not show it: it goes to logs. */
  readonly secret?: boolean;
  /** The rules of its own options, where the value is an object. */
  readonly within?: OptionRules;
}

/** The rule of each option by its name. There are no other options. */
export type OptionRules = Readonly<Record<string, OptionRule>>;

/** The rules of some options: one for each, so that none can be forgotten. */
export type RulesOf<Options> = Readonly<Record<keyof Options & string, OptionRule>>;

/** Anything: what uses it looks at it. */
export const ANYTHING: OptionRule = { wanted: "anything", holds: () => true };

export const FLAG: OptionRule = { wanted: "true or false", holds: (value) => typeof value === "boolean" };
export const TEXT: OptionRule = {
  wanted: "a string that is not empty",
  holds: (value) => typeof value === "string" && value !== "",
};
export const ANY_TEXT: OptionRule = { wanted: "a string", holds: (value) => typeof value === "string" };
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

export function countFrom(least: number): OptionRule {
  return {
    wanted: `a whole number from ${least} on, or Infinity for no limit`,
    holds: (value) => value === Number.POSITIVE_INFINITY || (Number.isSafeInteger(value) && (value as number) >= least),
  };
}

export function wholeNumber(least: number, most: number): OptionRule {
  return {
    wanted: `a whole number from ${least} to ${most}`,
    holds: (value) => Number.isInteger(value) && (value as number) >= least && (value as number) <= most,
  };
}

/** A number, maybe with a fraction, but not Infinity. */
export function numberFrom(least: number): OptionRule {
  return {
    wanted: `a number from ${least} on`,
    holds: (value) => Number.isFinite(value) && (value as number) >= least,
  };
}

/** The longest delay of a timer: 2^31 - 1 milliseconds, 24.8 days. */
const LONGEST_MS = 2_147_483_647;

/** A time of a fault, in milliseconds; maybe with a fraction. */
export const MILLISECONDS: OptionRule = {
  wanted: `a number of milliseconds from 0 to ${LONGEST_MS} (24.8 days)`,
  holds: (value) => typeof value === "number" && value >= 0 && value <= LONGEST_MS,
};

export function oneOf(...words: readonly string[]): OptionRule {
  return {
    wanted: `one of ${words.map((word) => `"${word}"`).join(", ")}`,
    holds: (value) => words.includes(value as string),
  };
}

/** A list whose items all hold; a hole is none. */
export function listOf(what: string, holds: (item: unknown) => boolean): OptionRule {
  return { wanted: `an array of ${what}`, holds: (value) => Array.isArray(value) && Array.from(value).every(holds) };
}

export const TEXTS: OptionRule = listOf("strings", (item) => typeof item === "string");
export const LIST: OptionRule = { wanted: "an array", holds: Array.isArray, required: true };

/** Things one after the other, maybe without an end. */
export const ITERABLE: OptionRule = {
  wanted: "an array, or something else to iterate over",
  holds: (value) => typeof (value as Iterable<unknown> | null | undefined)?.[Symbol.iterator] === "function",
  required: true,
};

export const CODEC: OptionRule = {
  wanted: "a codec, such as lines()",
  holds: (value) => {
    const codec = value as { readonly createDecoder?: unknown; readonly encode?: unknown } | null | undefined;
    return typeof codec?.createDecoder === "function" && typeof codec.encode === "function";
  },
  required: true,
};

/** What is called for each thing that arrives. */
export const HANDLER: OptionRule = { ...FUNCTION, required: true };

export const SIGNAL: OptionRule = {
  wanted: "an AbortSignal",
  holds: (value) => typeof (value as { readonly addEventListener?: unknown } | null)?.addEventListener === "function",
};

export const OPERATION_RULES: Readonly<Record<"signal" | "timeoutMs", OptionRule>> = {
  signal: SIGNAL,
  timeoutMs: FROM_ZERO,
};

/** The options of every call and loop that receives. */
export const RECEIVE_RULES: Readonly<Record<"signal" | "timeoutMs" | "until", OptionRule>> = {
  ...OPERATION_RULES,
  until: SIGNAL,
};

/**
 * What happens to what comes when its queue is full. `block`: it waits, or its sender does. `strict`: it is refused, or its loss is
 * told to the next who asks. `drop-oldest`, `drop-newest`: the oldest that waits, or the new one, is dropped and counted.
 */
export type OverflowPolicy = "block" | "strict" | "drop-oldest" | "drop-newest";

export const OVERFLOW: OptionRule = oneOf("block", "strict", "drop-oldest", "drop-newest");

/** An object with options of its own, and no others. */
export function options(within: OptionRules, required = false): OptionRule {
  return { wanted: "an object", holds: isObject, within, required };
}

/** Some of the rules, for a call that takes these options of another one. */
export function only<Name extends string, Picked extends Name>(
  rules: Readonly<Record<Name, OptionRule>>,
  ...names: readonly Picked[]
): Readonly<Record<Picked, OptionRule>> {
  return Object.fromEntries(names.map((name) => [name, rules[name]])) as Record<Picked, OptionRule>;
}

/** An object whose names are the program's. */
export const OBJECT: OptionRule = { wanted: "an object", holds: isObject };

/**
 * The options of a call as they count: a plain object with those of `rules` that are given, read once. So what was checked is
 * what is used, one that is undefined is one that is missing, and the result can be spread over defaults.
 *
 * Throws `OPTION_INVALID` for the first option that breaks its rule, and for one that there is not.
 */
export function checkOptions<T>(call: CallNames, given: T, rules: OptionRules, path = "", all: OptionRules = rules): T {
  if (given === undefined) return {} as T;
  refuseUnknown(call, given, rules, path, all);
  const checked: Record<string, unknown> = {};
  for (const [name, rule] of Object.entries(rules)) {
    const own = (given as Readonly<Record<string, unknown>>)[name];
    const value = own === undefined ? rule.fallback?.(given) : own;
    if (value === undefined && rule.required !== true) continue;
    if (!rule.holds(value)) throw optionInvalid(call, mustBe(path + name, rule, value));
    const open = rule.within === undefined || !isObject(value);
    checked[name] = open ? value : checkOptions(call, value, rule.within, `${path}${name}.`, all);
  }
  return checked as T;
}

/** Refuses options that there are not, where the others are looked at elsewhere. */
export function refuseUnknown(
  context: CallNames,
  given: unknown,
  rules: OptionRules,
  path = "",
  whole: OptionRules = rules,
): void {
  if (!isObject(given)) throw optionInvalid(context, mustBe(path.slice(0, -1) || "options", OBJECT, given));
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(rules, name)) throw optionInvalid(context, noSuchOption(name, rules, path, "option", whole));
  }
}

/** Why a name is none of `rules`, and which one was meant: of these, or else of the `whole` options of the call. */
export function noSuchOption(
  name: string,
  rules: OptionRules,
  path = "",
  what = "option",
  whole: OptionRules = rules,
): string {
  const near = nearestName(name, namesOf(rules));
  const meant = near === undefined ? nearestName(name, namesOf(whole)) : path + near;
  const hint = meant === undefined ? `; there are ${Object.keys(rules).join(", ")}` : `; did you mean "${meant}"?`;
  return `there is no ${what} ${JSON.stringify(path + name)}${hint}`;
}

/** The names of the options, and behind them those of their own options. */
function namesOf(rules: OptionRules): readonly string[] {
  const within = Object.entries(rules).flatMap(([name, rule]) =>
    namesOf(rule.within ?? {}).map((own) => `${name}.${own}`),
  );
  return [...Object.keys(rules), ...within];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The error of a call that was given something wrong. */
export function optionInvalid(call: CallNames, detail: string): UsageError {
  return new UsageError("OPTION_INVALID", { ...call, detail });
}

function mustBe(name: string, { wanted, secret }: OptionRule, value: unknown): string {
  return `${name} must be ${wanted}, not ${secret === true ? `a value of type ${typeof value}` : shown(value)}`;
}

const SHOWN_ITEMS = 5;

/** A value in an error: short, and never an error of its own, since an object may have no `toString`, or one that throws. */
export function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) {
    const items = Array.from(value.slice(0, SHOWN_ITEMS), (item) => (Array.isArray(item) ? "an array" : shown(item)));
    return `[${items.join(", ")}${value.length > SHOWN_ITEMS ? ", …" : ""}]`;
  }
  if (typeof value === "bigint") return `${value}n`;
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

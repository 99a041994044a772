/** What the options of all journals have in common. */

import { countFrom, type OptionRule } from "../../core/options/check-options.ts";

/** Options that were checked. */
export type Checked<Options> = { readonly [Name in keyof Options]-?: NonNullable<Options[Name]> };

const COUNT: OptionRule = countFrom(1);

/** Rules of bounds, with what they are by default. */
export function bounds<Name extends string>(
  defaults: Readonly<Record<Name, number>>,
  rule: OptionRule = COUNT,
): Record<Name, OptionRule> {
  const rules = Object.entries<number>(defaults).map(([name, value]) => [name, { ...rule, fallback: () => value }]);
  return Object.fromEntries(rules) as Record<Name, OptionRule>;
}

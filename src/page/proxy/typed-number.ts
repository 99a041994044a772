/** Numbers as people type them: with a point or a comma before the decimals. */

/** `1,000` is a thousand to some, and one to others. */
export class TwoNumbers extends Error {
  readonly typed: string;
  /** The numbers that it may be. */
  readonly readings: readonly string[];

  constructor(typed: string) {
    super(`${typed} may be more than one number`);
    this.typed = typed;
    const decimal = Number(typed.replace(",", "."));
    this.readings = [typed.replaceAll(/[.,]/g, ""), ...(Number.isNaN(decimal) ? [] : [String(decimal)])];
  }
}

/** One point or comma, or more, each with three digits behind it. */
const GROUPED = /^[+-]?[1-9]\d{0,2}(?:[.,]\d{3})+$/;

/** The number; what is none comes back as it is. Throws {@link TwoNumbers}. */
export function typedNumber(text: string): number | string {
  const typed = text.trim();
  if (GROUPED.test(typed)) throw new TwoNumbers(typed);
  const number = Number(typed.replace(",", "."));
  return Number.isNaN(number) ? text : number;
}

/** A number as a form shows it, so that {@link typedNumber} reads it. */
export function numberText(value: number): string {
  const text = String(value);
  return GROUPED.test(text) ? `${text}0` : text;
}

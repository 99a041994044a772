/** Texts for people that must not become long. */

/** The beginning of a text, at most so many characters. Half of a surrogate pair, also one that the cut made, becomes U+FFFD. */
export function cutText(text: string, maxLength: number): string {
  // Part of ES2024; Node has it since version 20.
  return (text.slice(0, maxLength) as string & { toWellFormed(): string }).toWellFormed();
}

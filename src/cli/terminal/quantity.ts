/** Numbers with their nouns. */

/** `1 byte`, `2 bytes`, `0 replies`. */
export function quantity(number: number, one: string, many: string = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

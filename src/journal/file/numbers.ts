/** Whole numbers from 0 on as doubles: their bytes sort as they do. */

export const NUMBER_BYTES = 8;

export function numbers(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * NUMBER_BYTES);
  for (const [index, value] of values.entries()) bytes.writeDoubleBE(value, index * NUMBER_BYTES);
  return bytes;
}

export function numberAt(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getFloat64(at);
}

/** Keys of one letter sort by their numbers. */
export function numberedKey(letter: string, number: number): Buffer {
  return Buffer.concat([Buffer.from(letter), numbers(number)]);
}

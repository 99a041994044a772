/** Delta debugging (Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002): the algorithm ddmin. */

/**
 * The smallest part of `items` that was found for which `fails` holds; it holds for all of them. Nothing of the answer can be
 * left out, as far as `fails` was asked: it may say no when it is tired.
 */
export async function minimize<T>(
  items: readonly T[],
  fails: (items: readonly T[]) => Promise<boolean>,
): Promise<readonly T[]> {
  if (items.length > 0 && (await fails([]))) return [];
  let rest = items;
  let parts = 2;
  while (rest.length >= 2) {
    const smaller = await failingPart(rest, parts, fails);
    if (smaller !== undefined) {
      // A part that fails alone is cut anew; a rest keeps its cuts, of which there is one less.
      parts = smaller.isRest ? Math.max(parts - 1, 2) : 2;
      rest = smaller.items;
    } else if (parts >= rest.length) break;
    else parts = Math.min(parts * 2, rest.length);
  }
  return rest;
}

async function failingPart<T>(
  items: readonly T[],
  parts: number,
  fails: (items: readonly T[]) => Promise<boolean>,
): Promise<{ readonly items: readonly T[]; readonly isRest: boolean } | undefined> {
  const bounds = Array.from({ length: parts + 1 }, (_value, index) => Math.floor((index * items.length) / parts));
  const cuts = bounds.slice(1).map((end, index): [number, number] => [bounds[index] as number, end]);
  for (const [begin, end] of cuts) {
    const part = items.slice(begin, end);
    if (await fails(part)) return { items: part, isRest: false };
  }
  // With two parts each rest is the other part.
  if (parts === 2) return undefined;
  for (const [begin, end] of cuts) {
    const part = [...items.slice(0, begin), ...items.slice(end)];
    if (await fails(part)) return { items: part, isRest: true };
  }
  return undefined;
}

/** Which name was meant by one that there is not. */

const UNIT = /Ms$|Bytes$/;

/** A name without its unit, and without `max` and `Timeout`. */
function bare(name: string): string {
  return name
    .replace(UNIT, "")
    .replace(/^max|Timeout$/g, "")
    .toLowerCase();
}

/** The name that was meant: the one with the fewest letters to change, if these are not many. */
export function nearestName(wrong: string, names: readonly string[]): string | undefined {
  let nearest: string | undefined;
  let fewest = Math.max(1, Math.floor(wrong.length * 0.4)) + 1;
  for (const path of names) {
    const name = path.slice(path.lastIndexOf(".") + 1);
    const changes = Math.min(
      lettersToChange(wrong.toLowerCase(), name.toLowerCase()),
      // A unit that is left out is one mistake, and so are words that only say what kind of number it is.
      lettersToChange(wrong.toLowerCase(), name.replace(UNIT, "").toLowerCase()) + 1,
      lettersToChange(bare(wrong), bare(name)) + 1,
    );
    if (changes >= fewest) continue;
    fewest = changes;
    nearest = path;
  }
  return nearest;
}

/** Letters to put in, take out, replace or swap with the next one to make one word of the other. */
function lettersToChange(a: string, b: string): number {
  // A name can be of any length.
  if (a.length > 64) return Infinity;
  let before: readonly number[] = [];
  let row: readonly number[] = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = at(row, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swaps = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swapped = swaps ? at(before, j - 2) + 1 : Infinity;
      next.push(Math.min(replaced, swapped, at(row, j) + 1, at(next, j - 1) + 1));
    }
    before = row;
    row = next;
  }
  return at(row, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] as number;
}

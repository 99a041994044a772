/** One page of a list that changes while it is read. */

/** The most rows of one answer, and the usual number. */
export const MOST_ROWS = 1000;
const USUAL_ROWS = 100;

/** What was asked for: at most `limit` rows behind the one at `after`. */
export interface PageRequest {
  readonly limit: number;
  readonly after: Place | undefined;
}

/** Where a row stands: by a figure, the highest first, and by the number of its object where that is the same. */
export interface Place {
  readonly figure: number;
  readonly id: number;
}

/** A page, and the cursor of the next one; undefined when this is the last. */
export interface Page<T> {
  readonly rows: readonly T[];
  readonly next: string | undefined;
}

/** Reads `limit` and `after`. Undefined when one of them makes no sense. */
export function pageRequest(limit: string | null, after: string | null): PageRequest | undefined {
  const rows = limit === null ? USUAL_ROWS : /^\d{1,6}$/.test(limit) ? Number(limit) : Number.NaN;
  if (!(rows >= 1)) return undefined;
  const place = after === null ? undefined : placeFrom(after);
  if (after !== null && place === undefined) return undefined;
  return { limit: Math.min(rows, MOST_ROWS), after: place };
}

function placeFrom(cursor: string): Place | undefined {
  const [, figure = "", id = ""] = /^(?:(-?\d+(?:\.\d+)?(?:e[+-]\d+)?|-?Infinity):)?(\d{1,16})$/.exec(cursor) ?? [];
  return id === "" ? undefined : { figure: figure === "" ? 0 : Number(figure), id: Number(id) };
}

function isBehind(figure: number, id: number, other: Place): boolean {
  return figure === other.figure ? id > other.id : figure < other.figure;
}

/**
 * The page of objects that come in the order of their numbers: whoever follows the cursors sees each that is there all the time once,
 * whatever comes and goes. Looks at no object behind the page.
 */
export function pageInOrder<T extends { readonly id: number }>(objects: Iterable<T>, request: PageRequest): Page<T> {
  const { limit, after } = request;
  const rows: T[] = [];
  for (const object of objects) {
    if (after !== undefined && object.id <= after.id) continue;
    if (rows.length === limit) return { rows, next: String(rows.at(-1)?.id) };
    rows.push(object);
  }
  return { rows, next: undefined };
}

/**
 * The page of some objects. Each has a figure, 0 where they stand by their numbers. Then whoever follows the cursors sees each
 * object that is there all the time once, whatever comes and goes; figures change, so by these one may be seen twice or not at all.
 * Takes time for each object and memory for one page.
 */
export function pageOf<T extends { readonly id: number }>(
  objects: Iterable<T>,
  { limit, after }: PageRequest,
  figureOf: (object: T) => number = () => 0,
): Page<T> {
  const best: (Place & { readonly object: T })[] = [];
  for (const object of objects) {
    const { id } = object;
    const figure = figureOf(object);
    if (after !== undefined && !isBehind(figure, id, after)) continue;
    const last = best[limit];
    // Most of a long list ends here, and has made nothing.
    if (last !== undefined && isBehind(figure, id, last)) continue;
    insert(best, { figure, id, object });
    // One more than asked for tells whether there is another page.
    if (best.length > limit + 1) best.pop();
  }
  const rows = best.slice(0, limit);
  const end = best.length > limit ? rows.at(-1) : undefined;
  const next = end === undefined ? undefined : end.figure === 0 ? String(end.id) : `${end.figure}:${end.id}`;
  return { rows: rows.map(({ object }) => object), next };
}

/** Puts a row where it belongs; at the end, where it comes in order. */
function insert<T extends Place>(sorted: T[], row: T): void {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (isBehind(row.figure, row.id, sorted[middle - 1] as T)) low = middle;
    else high = middle - 1;
  }
  sorted.splice(low, 0, row);
}

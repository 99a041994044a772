/** Which route of a table answers a request. */

/** A route: its method, its path, and what its table has besides. In the path `:id` stands for a number, another `:word` for any text. */
export type Route = readonly [method: string, path: string, ...more: readonly unknown[]];

/** What stands in a path at each `:word`. */
export type PathParts = Readonly<Record<string, string>>;

/** What a table has for a request. */
export interface Found<Row extends Route> {
  /** Undefined when none answers. */
  readonly route: Row | undefined;
  readonly parts: PathParts;
  /** The methods that the path takes; empty when there is no such path. */
  readonly allow: string;
}

/** Finds the route of a request. A path with a `%` that stands for nothing is none. */
export function findRoute<Row extends Route>(table: readonly Row[], method: string, path: string): Found<Row> {
  const given = decoded(path);
  const found = table.flatMap((route) => {
    const parts = partsIn(route[1].split("/"), given);
    return parts === undefined ? [] : [{ route, parts }];
  });
  const allow = found.map(({ route }) => route[0]).join(", ");
  return { ...(found.find(({ route }) => route[0] === method) ?? { route: undefined, parts: {} }), allow };
}

function decoded(path: string): readonly string[] {
  try {
    return path.split("/").map(decodeURIComponent);
  } catch {
    return [];
  }
}

function partsIn(wanted: readonly string[], given: readonly string[]): PathParts | undefined {
  if (wanted.length !== given.length) return undefined;
  const parts: Record<string, string> = {};
  for (const [index, part] of given.entries()) {
    const word = wanted[index] as string;
    if (word === ":id" && !/^\d{1,15}$/.test(part)) return undefined;
    if (word.startsWith(":")) parts[word.slice(1)] = part;
    else if (word !== part) return undefined;
  }
  return parts;
}

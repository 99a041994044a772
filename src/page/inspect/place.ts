/** What the page shows, as the part of its address behind `#`: so it can be kept, sent, and gone back from. */

/** The views and what they are about. */
export type Place =
  | { readonly view: "servers" }
  | { readonly view: "sessions"; readonly server?: number; readonly sort: Sort; readonly cell?: string }
  | { readonly view: "session"; readonly id: number };

/** The orders that the inspector has; `id` is the order in which they were opened. */
export const SORTS = ["held", "rtt", "rate", "age", "id"] as const;

/** One of them. */
export type Sort = (typeof SORTS)[number];

/** Reads a place; what makes no sense is the list of servers. */
export function placeFrom(hash: string): Place {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?");
  const id = numberFrom(/^sessions\/(\d+)$/.exec(path)?.[1]);
  if (id !== undefined) return { view: "session", id };
  if (path !== "sessions") return { view: "servers" };
  const asked = new URLSearchParams(query);
  const server = numberFrom(asked.get("server"));
  const cell = /^\d{1,2},\d{1,2}$/.exec(asked.get("cell") ?? "")?.[0];
  return {
    view: "sessions",
    sort: SORTS.find((sort) => sort === asked.get("sort")) ?? "held",
    ...(server === undefined ? {} : { server }),
    ...(cell === undefined ? {} : { cell }),
  };
}

/** Writes a place. */
export function hashOf(place: Place): string {
  if (place.view === "servers") return "#/servers";
  if (place.view === "session") return `#/sessions/${place.id}`;
  const { server, sort, cell } = place;
  const query = Object.entries({ server, sort, cell }).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${value}`],
  );
  return `#/sessions?${query.join("&")}`;
}

function numberFrom(text: string | null | undefined): number | undefined {
  return text !== null && text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

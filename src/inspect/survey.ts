/** All sessions at once: what puts them in order, and how many are slow or hold much. */

import { partsOf, type SessionFacade } from "../io/session/endpoint/session.ts";
import type { Listed } from "./registry.ts";
import type { HeatRow } from "./wire.ts";

/** What one look at one session has found. */
export interface Surveyed {
  readonly id: number;
  /** Its server, or the client that made it. */
  readonly owner: object;
  /** 0 or more; -1 where it is not known. */
  readonly heldBytes: number;
  readonly roundTripMs: number;
  readonly rate: number;
  readonly since: number;
}

/** Looks at each. */
export function survey(
  sessions: Iterable<Listed<SessionFacade>>,
  rateOf: (session: SessionFacade) => number | undefined,
): readonly Surveyed[] {
  return Array.from(sessions, ({ id, since, object }) => {
    const { endpoint } = partsOf(object);
    const { owner, heldBytes, machine } = endpoint;
    return { id, owner, heldBytes, roundTripMs: machine.link?.roundTripMs ?? -1, rate: rateOf(object) ?? -1, since };
  });
}

/** The orders of sessions: by what, the highest first. */
export const SESSION_ORDERS: Readonly<Record<string, (session: Surveyed) => number>> = {
  held: ({ heldBytes }) => heldBytes,
  rtt: ({ roundTripMs }) => roundTripMs,
  // The oldest first.
  age: ({ since }) => -since,
  rate: ({ rate }) => rate,
};

/** Where one column or row of the map ends and the next begins; the first begins at 0. */
const ROUND_TRIP_MS: readonly number[] = [0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];
const HELD_BYTES: readonly number[] = [1, 1000, 4000, 16_000, 64_000, 256_000, 1e6, 4e6, 16e6];

/** A place in the map, as a question names it: `column,row`. */
export type Cell = readonly [column: number, row: number];

/** The cell in which a session stands. */
export function cellOf({ roundTripMs, heldBytes }: Surveyed): Cell {
  return [
    roundTripMs < 0 ? ROUND_TRIP_MS.length + 1 : bandOf(ROUND_TRIP_MS, roundTripMs),
    bandOf(HELD_BYTES, heldBytes),
  ];
}

/** Reads `3,0`; undefined for what is no cell. */
export function cellFrom(text: string): Cell | undefined {
  const [, column = "", row = ""] = /^(\d{1,2}),(\d{1,2})$/.exec(text) ?? [];
  if (column === "" || Number(column) > ROUND_TRIP_MS.length + 1 || Number(row) > HELD_BYTES.length) return undefined;
  return [Number(column), Number(row)];
}

/** Counts them. */
export function heatMap(sessions: readonly Surveyed[]): HeatRow {
  const cells = Array.from({ length: HELD_BYTES.length + 1 }, () =>
    Array.from({ length: ROUND_TRIP_MS.length + 2 }, () => 0),
  );
  for (const session of sessions) {
    const [column, row] = cellOf(session);
    (cells[row] as number[])[column] = ((cells[row] as number[])[column] as number) + 1;
  }
  return { roundTripMs: ROUND_TRIP_MS, heldBytes: HELD_BYTES, cells, sessions: sessions.length };
}

/** How many of the limits are not above a figure. */
function bandOf(limits: readonly number[], figure: number): number {
  let band = 0;
  while (band < limits.length && figure >= (limits[band] as number)) band += 1;
  return band;
}

/** Whether two cells are one. */
export function isIn(one: Cell, other: Cell): boolean {
  return one[0] === other[0] && one[1] === other[1];
}

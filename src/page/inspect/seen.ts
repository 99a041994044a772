/** What the sequence diagram says about each thing that was seen. */

import type { texts } from "./texts.ts";
import { time } from "./figures.ts";
import type { SeenRow } from "../../inspect/wire.ts";

/** An event with a number of its own. */
export interface Numbered {
  readonly number: number;
  readonly row: SeenRow;
}

/** The most events that are drawn. */
const MOST_SEEN = 256;

/** The events with some newer ones; of too many the last. */
export function withNewer(before: readonly Numbered[], rows: readonly SeenRow[]): readonly Numbered[] {
  const first = (before.at(-1)?.number ?? 0) + 1;
  return [...before, ...rows.map((row, index) => ({ number: first + index, row }))].slice(-MOST_SEEN);
}

/** How an event is drawn: as an arrow to one side, or as a note across both. */
export interface Shown {
  readonly kind: "out" | "in" | "out began" | "in began" | "out over" | "in over" | "in faint" | "note" | "note bad";
  readonly words: string;
}

/** The picture and words of an event. */
export function shown(row: SeenRow, { seen, things, states }: ReturnType<typeof texts>): Shown {
  switch (row.type) {
    case "sent":
      return { kind: "out", words: seen.sent(row.count, row.number) };
    case "received":
      return { kind: "in", words: seen.received(row.count, row.number) };
    case "acknowledged":
      return { kind: "in faint", words: seen.acknowledged(row.number) };
    case "began": {
      const words = seen.began(things[row.what], row.method ?? "", row.id);
      return { kind: row.from === "here" ? "out began" : "in began", words };
    }
    case "ended": {
      // The answer goes the other way.
      const words = seen.ended(things[row.what], row.method ?? "", row.id);
      return { kind: row.from === "here" ? "in over" : "out over", words };
    }
    case "state": {
      const isGood = row.state === "open";
      return {
        kind: isGood ? "note" : "note bad",
        words: seen.state(states[row.state]),
      };
    }
    case "connection":
      return row.remote === undefined
        ? { kind: "note bad", words: seen.noConnection }
        : { kind: "note", words: seen.connection(row.remote) };
    case "roundTrip":
      return { kind: "note", words: seen.roundTrip(time(row.roundTripMs) as string) };
  }
}

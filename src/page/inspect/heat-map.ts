/** All sessions on one picture: each cell counts those with about the same round trip and memory. */

import { html } from "htm/preact";
import type { VNode } from "preact";
import { bytes, count, time } from "./figures.ts";
import { texts } from "./texts.ts";
import type { HeatRow } from "../../inspect/wire.ts";

/** What the map needs. */
export interface HeatMapProps {
  readonly map: HeatRow;
  /** The cell that is chosen: `column,row`. */
  readonly cell: string | undefined;
  readonly choose: (cell: string | undefined) => void;
}

/** The map. Only cells with sessions can be chosen; the arrow keys go from one of them to the next. */
export function HeatMap({ map, cell, choose }: HeatMapProps): VNode {
  const { columns, heatHelp } = texts();
  const most = Math.max(1, ...map.cells.flat());
  // The most memory stands at the top.
  const rows = map.cells.map((counts, row) => ({ counts, row })).reverse();
  const columnCount = map.roundTripMs.length + 2;
  return html`<p class="quiet-text">${heatHelp}</p>
    <div class="heat" style="--columns: ${columnCount}" onKeyDown=${moveFocus}>
      <span class="axis corner">${columns.held}</span>
      ${rows.map(
        ({ counts, row }) => html`
          <span class="axis">${heldName(map, row)}</span>
          ${counts.map((sessions, column) => cellOf({ map, choose, cell, most, sessions, at: `${column},${row}` }))}
        `,
      )}
      <span class="axis corner">${columns.roundTrip}</span>
      ${Array.from({ length: columnCount }, (_, column) => html`<span class="axis below">${roundTripName(map, column)}</span>`)}
    </div>`;
}

interface CellProps extends HeatMapProps {
  readonly at: string;
  readonly sessions: number;
  readonly most: number;
}

function cellOf({ map, at, cell, choose, sessions, most }: CellProps): VNode {
  if (sessions === 0 && at !== cell) return html`<span class="cell" key=${at}></span>`;
  const isChosen = at === cell;
  // Few among many must be seen as well as many.
  const share = Math.round(15 + 85 * (Math.log1p(sessions) / Math.log1p(most)));
  const [column = 0, row = 0] = at.split(",").map(Number);
  const { cell: name } = texts();
  const label = name(sessions, roundTripName(map, column), heldName(map, row));
  return html`<button
    key=${at}
    class="cell some ${share > 70 ? "strong" : ""}"
    style="--share: ${share}%"
    aria-pressed=${isChosen}
    aria-label=${label}
    title=${label}
    onClick=${() => choose(isChosen ? undefined : at)}
  >
    ${short(sessions)}
  </button>`;
}

/** `12`, `3.4k`: a cell is narrow. */
function short(sessions: number): string {
  return sessions < 1000 ? String(sessions) : `${count(Math.round(sessions / 100) / 10) as string}k`;
}

function heldName({ heldBytes }: HeatRow, row: number): string {
  if (row === 0) return "0";
  return row === 1 ? `< ${String(bytes(heldBytes[1]))}` : `≥ ${String(bytes(heldBytes[row - 1]))}`;
}

function roundTripName({ roundTripMs }: HeatRow, column: number): string {
  if (column > roundTripMs.length) return texts().unknown;
  return column === 0 ? `< ${String(time(roundTripMs[0]))}` : `≥ ${String(time(roundTripMs[column - 1]))}`;
}

/** In the direction of the key, to the nearest cell that has sessions. */
function moveFocus(event: KeyboardEvent): void {
  const direction = DIRECTIONS[event.key];
  const from = event.target;
  if (direction === undefined || !(from instanceof HTMLElement)) return;
  const [dx, dy] = direction;
  const start = middleOf(from);
  const ahead = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>("button.cell")].flatMap((to) => {
    const { x, y } = middleOf(to);
    const [along, across] = [
      (x - start.x) * dx + (y - start.y) * dy,
      Math.abs((x - start.x) * dy + (y - start.y) * dx),
    ];
    return to !== from && along > 1 ? [{ to, cost: along + 2 * across }] : [];
  });
  event.preventDefault();
  ahead.sort((one, other) => one.cost - other.cost)[0]?.to.focus();
}

const DIRECTIONS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

function middleOf(element: HTMLElement): { readonly x: number; readonly y: number } {
  const { left, top, width, height } = element.getBoundingClientRect();
  return { x: left + width / 2, y: top + height / 2 };
}

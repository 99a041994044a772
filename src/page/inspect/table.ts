/** A table of rows: on a narrow screen each row is a card, whose figures have their names beside them. */

import { html } from "htm/preact";
import type { ComponentChildren, VNode } from "preact";
import { useState } from "preact/hooks";
import { texts } from "./texts.ts";

/** One column. */
export interface Column<T> {
  readonly title: string;
  readonly of: (row: T) => ComponentChildren;
  /** It has figures, which stand at the right. */
  readonly number?: true;
}

/** What a table needs. */
export interface TableProps<T> {
  readonly label: string;
  readonly columns: readonly Column<T>[];
  /** Undefined before the first answer. */
  readonly rows: readonly T[] | undefined;
}

/** The table, or a word where there is nothing. */
export function Table<T extends { readonly id: number | string }>({ label, columns, rows }: TableProps<T>): VNode {
  const { noneYet, waiting } = texts();
  if (rows === undefined || rows.length === 0) {
    return html`<p class="quiet-text">${rows === undefined ? waiting : noneYet}</p>`;
  }
  return html`<table class="cards" aria-label=${label}>
    <thead>
      <tr>
        ${columns.map(({ title, number }) => html`<th scope="col" class=${number ? "number" : ""}>${title}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        (row) => html`<tr key=${row.id}>
          ${columns.map((column) => cellOf(column, row))}
        </tr>`,
      )}
    </tbody>
  </table>`;
}

/** What is not known is a dash; a card leaves it out. */
function cellOf<T>({ title, of, number }: Column<T>, row: T): VNode {
  const content = of(row);
  const classes = `${number ? "number" : ""} ${content === undefined ? "nothing" : ""}`;
  return html`<td class=${classes} data-title=${title}><span>${content ?? "–"}</span></td>`;
}

/** Where a list is. */
export interface Cursor {
  /** Behind which row; undefined at the beginning. */
  readonly after: string | undefined;
  readonly set: (after: string | undefined) => void;
}

/** A place in a list, which begins anew when the list becomes another. */
export function useCursor(list: string): Cursor {
  const [{ of, after }, set] = useState<{ readonly of: string; readonly after: string | undefined }>({
    of: list,
    after: undefined,
  });
  return { after: of === list ? after : undefined, set: (next) => set({ of: list, after: next }) };
}

/** The path of one page of a list. */
export function pagePath(path: string, limit: number, after: string | undefined): string {
  const mark = path.includes("?") ? "&" : "?";
  return `${path}${mark}limit=${limit}${after === undefined ? "" : `&after=${encodeURIComponent(after)}`}`;
}

/** Goes through a list: forward, and to its beginning, as its rows come and go. */
export function Pager({ cursor, next }: { readonly cursor: Cursor; readonly next: string | undefined }): VNode | null {
  const { pages, first, next: further } = texts();
  if (cursor.after === undefined && next === undefined) return null;
  return html`<nav class="pager" aria-label=${pages}>
    <button disabled=${cursor.after === undefined} onClick=${() => cursor.set(undefined)}>${first}</button>
    <button disabled=${next === undefined} onClick=${() => cursor.set(next)}>${further}</button>
  </nav>`;
}

/** The connections that are open, and the last ones that are over. One of them can be selected. */

import { html } from "htm/preact";
import type { VNode } from "preact";
import type { ConnectionRow } from "../../proxy/page/wire.ts";
import { bytesText, timeText } from "../shell/bytes.ts";
import { inLanguage, language } from "../shell/language.ts";
import { Panel } from "../shell/shell.ts";
import { shortName } from "./state.ts";

const TEXTS = inLanguage({
  en: {
    title: "Connections",
    none: "Nobody is connected. Point your program at a proxy.",
    columns: ["connection", "state", "age", "→ server", "→ client"],
    states: { open: "open", half: "half-closed", closed: "closed", reset: "reset" },
    more: (count: number) => `and ${count} more`,
    show: (number: number, proxy: string) => `show connection ${number} of ${proxy}`,
    leave: "Show none",
  },
  es: {
    title: "Conexiones",
    none: "No hay nadie conectado. Dirige tu programa a un proxy.",
    columns: ["conexión", "estado", "edad", "→ servidor", "→ cliente"],
    states: { open: "abierta", half: "medio cerrada", closed: "cerrada", reset: "cortada" },
    more: (count) => `y ${count} más`,
    show: (number, proxy) => `enseñar la conexión ${number} de ${proxy}`,
    leave: "No enseñar ninguna",
  },
});

/** Which connection. */
export interface Selected {
  readonly proxy: string;
  readonly number: number;
}

/** What the list needs. */
export interface ConnectionsProps {
  readonly rows: readonly ConnectionRow[];
  readonly more: number;
  readonly nowMs: number;
  readonly selected: Selected | undefined;
  readonly select: (selected: Selected | undefined) => void;
}

/** The list. */
export function Connections({ rows, more, nowMs, selected, select }: ConnectionsProps): VNode {
  const texts = TEXTS();
  const isSelected = ({ proxy, number }: Selected): boolean => selected?.proxy === proxy && selected.number === number;
  const tools =
    selected === undefined
      ? null
      : html`<button class="quiet" onClick=${() => select(undefined)}>${texts.leave}</button>`;
  return html`<${Panel} name="connections" title=${texts.title} tools=${tools}>
    ${
      rows.length === 0
        ? html`<p class="quiet-text">${texts.none}</p>`
        : html`<div class="scrolled"><table>
            <thead><tr>${texts.columns.map((column, index) => html`<th class=${index > 1 ? "number" : ""}>${column}</th>`)}</tr></thead>
            <tbody>
              ${rows.map((row) => html`<${Row} key=${`${row.number}/${row.proxy}`} row=${row} nowMs=${nowMs} isSelected=${isSelected(row)} select=${select} />`)}
            </tbody>
          </table></div>`
    }
    ${more > 0 ? html`<p class="quiet-text">${texts.more(more)}</p>` : ""}
  <//>`;
}

interface RowProps {
  readonly row: ConnectionRow;
  readonly nowMs: number;
  readonly isSelected: boolean;
  readonly select: (selected: Selected) => void;
}

function Row({ row, nowMs, isSelected, select }: RowProps): VNode {
  const texts = TEXTS();
  const { proxy, number, client, state, openedAtMs, closedAtMs, bytesToServer, bytesToClient, serverName } = row;
  const age = timeText(Math.max(0, (closedAtMs ?? nowMs) - openedAtMs), language());
  return html`<tr class="${state} ${isSelected ? "selected" : ""}" onClick=${() => select({ proxy, number })}>
    <td>
      <button class="link-like" onMouseDown=${keepFocus} aria-pressed=${isSelected} aria-label=${texts.show(number, proxy)} title=${proxy}><bdi>${shortName(proxy)}</bdi> ${number}</button>
      <small>${client.replace(/^\w+:\/\//, "")}${serverName === undefined ? "" : html` · <b>${serverName}</b>`}</small>
    </td>
    <td><span class="state">${texts.states[state]}</span></td>
    <td class="number">${age}</td>
    <td class="number" title=${`${bytesToServer} B`}>${bytesText(bytesToServer, language())}</td>
    <td class="number" title=${`${bytesToClient} B`}>${bytesText(bytesToClient, language())}</td>
  </tr>`;
}

/** Who selects with a mouse goes on with the keys of the diagram: the space bar must not press this button again. */
function keepFocus(event: Event): void {
  event.preventDefault();
}

/** All sessions as a map, and a page of those that one looks for. */

import { html } from "htm/preact";
import type { VNode } from "preact";
import { Panel } from "../shell/shell.ts";
import { bytes, count, rate, time } from "./figures.ts";
import { HeatMap } from "./heat-map.ts";
import { PageFrame } from "./page-frame.ts";
import { hashOf, type Place, type Sort, SORTS } from "./place.ts";
import { usePulled } from "./pull.ts";
import { type Column, Pager, pagePath, Table, useCursor } from "./table.ts";
import { texts } from "./texts.ts";
import type { HeatRow, PageOf, ServerRow, SessionRow } from "../../inspect/wire.ts";

const ROWS = 25;
/** Servers that can be chosen. */
const SERVERS = 100;

type SessionsPlace = Extract<Place, { readonly view: "sessions" }>;

/** What this view is answered. */
type Answers = {
  readonly servers: PageOf<"servers">;
  readonly heat: HeatRow;
  readonly list: PageOf<"sessions">;
};

/** The view. */
export function SessionsView({ place }: { readonly place: SessionsPlace }): VNode {
  const { heat, list, everyCell, total, waiting } = texts();
  const { server, sort, cell } = place;
  const base = server === undefined ? "/sessions" : `/servers/${server}/sessions`;
  const query = Object.entries({ sort: sort === "id" ? undefined : sort, cell }).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${value}`],
  );
  const path = query.length === 0 ? base : `${base}?${query.join("&")}`;
  const cursor = useCursor(path);
  const { answer, link, refusal } = usePulled<Answers>({
    servers: `/servers?limit=${SERVERS}`,
    heat: server === undefined ? "/sessions/heat" : `/servers/${server}/heat`,
    list: pagePath(path, ROWS, cursor.after),
  });
  const choose = (chosen: string | undefined): void => {
    const { cell: _cell, ...rest } = place;
    go(chosen === undefined ? rest : { ...rest, cell: chosen });
  };
  const map = answer?.heat;
  const tools = html`${cell === undefined ? null : html`<button onClick=${() => choose(undefined)}>${everyCell} ×</button>`}
    <${Pager} cursor=${cursor} next=${answer?.list.next} />`;
  return html`<${PageFrame} view="sessions" link=${link}>
    <div class="sessions">
      <${Panel} name="heat-map" title=${heat} tools=${html`<${Choices} place=${place} servers=${answer?.servers.servers ?? []} />`}>
        ${
          map === undefined
            ? html`<p class="quiet-text">${refusal ?? waiting}</p>`
            : html`<${HeatMap} map=${map} cell=${cell} choose=${choose} />
              <p class="quiet-text">${total(map.sessions)}</p>`
        }
      <//>
      <${Panel} name="list" title=${list} tools=${tools}>
        <${Table} label=${list} columns=${sessionColumns()} rows=${answer?.list.sessions} />
      <//>
    </div>
  <//>`;
}

function go(place: SessionsPlace): void {
  location.hash = hashOf(place);
}

/** Which server, and in which order. */
function Choices({ place, servers }: { readonly place: SessionsPlace; readonly servers: readonly ServerRow[] }): VNode {
  const { ofServer, allServers, order, orders } = texts();
  const chosen = (event: Event): string => (event.currentTarget as HTMLSelectElement).value;
  const chooseServer = (event: Event): void => {
    const { server: _server, cell: _cell, ...rest } = place;
    const value = chosen(event);
    go(value === "" ? rest : { ...rest, server: Number(value) });
  };
  return html`<label>
      ${ofServer}
      <select value=${place.server ?? ""} onChange=${chooseServer}>
        <option value="">${allServers}</option>
        ${servers
          .filter(({ kind }) => kind === "sessions")
          .map(({ id, address }) => html`<option value=${id} key=${id}>${address}</option>`)}
      </select>
    </label>
    <label>
      ${order}
      <select value=${place.sort} onChange=${(event: Event) => go({ ...place, sort: chosen(event) as Sort })}>
        ${SORTS.map((sort) => html`<option value=${sort} key=${sort}>${orders[sort]}</option>`)}
      </select>
    </label>`;
}

function sessionColumns(): readonly Column<SessionRow>[] {
  const { columns, states, sides } = texts();
  return [
    { title: columns.id, of: ({ id }) => html`<a href=${hashOf({ view: "session", id })}>${id}</a>` },
    { title: columns.side, of: ({ side }) => sides[side] },
    { title: columns.state, of: ({ state }) => html`<span class="dot ${state}">${states[state]}</span>` },
    { title: columns.remote, of: ({ remote }) => (remote === undefined ? undefined : html`<code>${remote}</code>`) },
    { title: columns.principal, of: ({ principal }) => principal },
    { title: columns.roundTrip, of: ({ roundTripMs }) => time(roundTripMs), number: true },
    { title: columns.held, of: ({ heldBytes }) => bytes(heldBytes), number: true },
    { title: columns.rate, of: ({ messagesPerSecond }) => rate(messagesPerSecond), number: true },
    { title: columns.pending, of: ({ pending }) => count(pending), number: true },
    { title: columns.age, of: ({ ageMs }) => time(ageMs), number: true },
  ];
}

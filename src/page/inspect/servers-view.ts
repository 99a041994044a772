/** What is open: servers and listeners, connections, datagram sockets, and how fast their figures grow. */

import { html } from "htm/preact";
import type { VNode } from "preact";
import { useState } from "preact/hooks";
import { Panel } from "../shell/shell.ts";
import { bytes, count, rate, time } from "./figures.ts";
import { PageFrame } from "./page-frame.ts";
import { hashOf } from "./place.ts";
import { usePulled } from "./pull.ts";
import { Rates } from "./rates.ts";
import { type Column, type Cursor, Pager, pagePath, Table, useCursor } from "./table.ts";
import { texts } from "./texts.ts";
import type { ConnectionRow, DatagramsRow, ListenerFigures, PageOf, ServerRow } from "../../inspect/wire.ts";

const ROWS = 10;

/** What this view is answered. */
type Answers = {
  readonly servers: PageOf<"servers">;
  readonly connections: PageOf<"connections">;
  readonly datagrams: PageOf<"datagrams">;
};

/** The view. */
export function ServersView(): VNode {
  const { servers, connections, datagrams } = texts();
  const [ofServers, ofConnections, ofDatagrams] = [useCursor("s"), useCursor("c"), useCursor("d")];
  const pulled = usePulled<Answers>({
    servers: pagePath("/servers", ROWS, ofServers.after),
    connections: pagePath("/connections", ROWS, ofConnections.after),
    datagrams: pagePath("/datagrams", ROWS, ofDatagrams.after),
  });
  const { answer, atMs, link } = pulled;
  return html`<${PageFrame} view="servers" link=${link}>
    <${List} name="servers" title=${servers} page=${answer?.servers} at=${atMs} cursor=${ofServers} columns=${serverColumns} />
    <${List} name="connections" title=${connections} page=${answer?.connections} at=${atMs} cursor=${ofConnections} columns=${connectionColumns} />
    <${List} name="datagrams" title=${datagrams} page=${answer?.datagrams} at=${atMs} cursor=${ofDatagrams} columns=${datagramColumns} />
  <//>`;
}

interface ListProps<T extends { readonly id: number }> {
  readonly name: "servers" | "connections" | "datagrams";
  readonly title: string;
  readonly page: (Readonly<Record<string, readonly T[]>> & { readonly next?: string | undefined }) | undefined;
  readonly at: number;
  readonly cursor: Cursor;
  readonly columns: (rates: Rates<T>) => readonly Column<T>[];
}

function List<T extends { readonly id: number }>({ name, title, page, at, cursor, columns }: ListProps<T>): VNode {
  const [rates] = useState(() => new Rates<T>());
  const rows = page?.[name];
  if (rows !== undefined) rates.add(rows, at);
  return html`<${Panel} name=${name} title=${title} tools=${html`<${Pager} cursor=${cursor} next=${page?.next} />`}>
    <${Table} label=${title} columns=${columns(rates)} rows=${rows} />
  <//>`;
}

function serverColumns(rates: Rates<ServerRow>): readonly Column<ServerRow>[] {
  const { columns, kinds, draining } = texts();
  return [
    { title: columns.id, of: ({ id }) => id },
    {
      title: columns.kind,
      of: (row) => `${kinds[row.kind]}${row.kind !== "listener" && row.draining ? ` · ${draining}` : ""}`,
    },
    { title: columns.address, of: ({ address }) => html`<code>${address}</code>` },
    { title: columns.contract, of: (row) => (row.kind === "sessions" ? row.contract : undefined) },
    { title: columns.age, of: ({ ageMs }) => time(ageMs), number: true },
    { title: columns.open, of: (row) => count(listenerOf(row)?.open), number: true },
    { title: columns.newRate, of: (row) => rate(rates.of(row, (one) => listenerOf(one)?.accepted)), number: true },
    {
      title: columns.datagramRate,
      of: (row) => rate(rates.of(row, (one) => (one.kind === "datagrams" ? one.stats.datagramsReceived : undefined))),
      number: true,
    },
    {
      title: columns.sessions,
      of: (row) =>
        row.kind === "sessions"
          ? html`<a href=${hashOf({ view: "sessions", server: row.id, sort: "held" })}>${count(row.stats.sessions)}</a>`
          : undefined,
      number: true,
    },
    {
      title: columns.detached,
      of: (row) => (row.kind === "sessions" ? count(row.stats.detached) : undefined),
      number: true,
    },
    { title: columns.held, of: ({ stats }) => bytes(stats.heldBytes), number: true },
  ];
}

function listenerOf(row: ServerRow): ListenerFigures | undefined {
  if (row.kind === "datagrams") return undefined;
  return row.kind === "sessions" ? row.stats.listener : row.stats;
}

function connectionColumns(rates: Rates<ConnectionRow>): readonly Column<ConnectionRow>[] {
  const { columns } = texts();
  return [
    { title: columns.id, of: ({ id }) => id },
    { title: columns.local, of: ({ local }) => html`<code>${local}</code>` },
    { title: columns.remote, of: ({ remote }) => html`<code>${remote}</code>` },
    { title: columns.age, of: ({ ageMs }) => time(ageMs), number: true },
    { title: columns.inRate, of: (row) => bytes(rates.of(row, (one) => one.bytesReceived)), number: true },
    { title: columns.outRate, of: (row) => bytes(rates.of(row, (one) => one.bytesSent)), number: true },
    { title: columns.unread, of: ({ unreadBytes }) => bytes(unreadBytes), number: true },
    { title: columns.unsent, of: ({ unsentBytes }) => bytes(unsentBytes), number: true },
  ];
}

function datagramColumns(rates: Rates<DatagramsRow>): readonly Column<DatagramsRow>[] {
  const { columns } = texts();
  return [
    { title: columns.id, of: ({ id }) => id },
    { title: columns.local, of: ({ local }) => html`<code>${local}</code>` },
    { title: columns.age, of: ({ ageMs }) => time(ageMs), number: true },
    { title: columns.inRate, of: (row) => rate(rates.of(row, ({ stats }) => stats.datagramsReceived)), number: true },
    { title: columns.outRate, of: (row) => rate(rates.of(row, ({ stats }) => stats.datagramsSent)), number: true },
    { title: columns.dropped, of: ({ stats }) => count(stats.datagramsDropped), number: true },
    { title: columns.held, of: ({ stats }) => bytes(stats.heldBytes), number: true },
  ];
}

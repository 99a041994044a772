/** One session: what it is, what happens in it, what is under way and what waits. */

import { html } from "htm/preact";
import type { ComponentChildren, VNode } from "preact";
import { Panel } from "../shell/shell.ts";
import { bytes, count, time } from "./figures.ts";
import { Gauges } from "./gauges.ts";
import { PageFrame } from "./page-frame.ts";
import { hashOf } from "./place.ts";
import { usePulled } from "./pull.ts";
import { Sequence } from "./sequence.ts";
import { type Column, Table } from "./table.ts";
import { texts } from "./texts.ts";
import type { CallRow, SessionDetail, StreamRow } from "../../inspect/wire.ts";

/** The view. */
export function SessionView({ id }: { readonly id: number }): VNode {
  const { views, back, sequence, underWay, queues, errors, waiting } = texts();
  const { answer, link, refusal } = usePulled<{ readonly session: SessionDetail }>({ session: `/sessions/${id}` });
  const session = answer?.session;
  const tools = html`<a href=${hashOf({ view: "sessions", sort: "held" })}>${back}</a>`;
  return html`<${PageFrame} view="session" link=${link}>
    <div class="session">
      <${Panel} name="facts" title="${views.session} ${id}" tools=${tools}>
        ${refusal === undefined ? null : html`<p class="error" role="alert">${refusal}</p>`}
        ${session === undefined ? html`<p class="quiet-text">${refusal ?? waiting}</p>` : html`<${Facts} session=${session} />`}
      <//>
      ${
        session === undefined
          ? null
          : html`<${Panel} name="what-happens" title=${sequence}><${Sequence} id=${id} /><//>
            <div class="beside">
              <${Panel} name="queues" title=${queues}><${Gauges} session=${session} /><//>
              <${Panel} name="under-way" title=${underWay}><${UnderWay} session=${session} /><//>
              <${Panel} name="errors" title=${errors}>
                <${Table} label=${errors} columns=${errorColumns()} rows=${session.lastErrors.map((error, at) => ({ ...error, id: at }))} />
              <//>
            </div>`
      }
    </div>
  <//>`;
}

function Facts({ session }: { readonly session: SessionDetail }): VNode {
  const { facts, states } = texts();
  const all: readonly (readonly [string, ComponentChildren])[] = [
    [facts.state, html`<span class="dot ${session.state}">${states[session.state]}</span>`],
    [facts.remote, session.principal ?? session.remote],
    [facts.contract, session.contract],
    [facts.codec, session.codec],
    [facts.roundTrip, time(session.roundTripMs)],
    [facts.held, bytes(session.heldBytes)],
    [facts.sent, count(session.sent)],
    [facts.acknowledged, count(session.acknowledged)],
    [facts.received, count(session.received)],
    [facts.handled, count(session.handled)],
    [facts.epoch, count(session.epoch)],
    [facts.age, time(session.ageMs)],
  ];
  return html`<dl class="figures">
    ${all.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value ?? "–"}</dd></div>`)}
  </dl>`;
}

function UnderWay({ session: { calls, streams } }: { readonly session: SessionDetail }): VNode {
  const { more, underWay, things, noneYet } = texts();
  const rest = calls.own + calls.peer + streams.own + streams.peer - calls.list.length - streams.list.length;
  if (calls.list.length + streams.list.length === 0) return html`<p class="quiet-text">${noneYet}</p>`;
  return html`${calls.list.length === 0 ? null : html`<${Table} label=${things.call} columns=${callColumns()} rows=${distinct(calls.list)} />`}
    ${streams.list.length === 0 ? null : html`<${Table} label=${things.stream} columns=${streamColumns()} rows=${distinct(streams.list)} />`}
    ${rest > 0 ? html`<p class="quiet-text" title=${underWay}>${more(rest)}</p>` : null}`;
}

/** Each side numbers its own. */
function distinct<T extends CallRow | StreamRow>(
  rows: readonly T[],
): readonly (Omit<T, "id"> & { id: string; row: T })[] {
  return rows.map((row) => ({ ...row, id: `${row.from} ${row.id}`, row }));
}

type Keyed<T> = { readonly id: string; readonly row: T };

function callColumns(): readonly Column<Keyed<CallRow>>[] {
  const { columns, here, peer, handlerWaits } = texts();
  return [
    { title: columns.method, of: ({ row }) => (row.waiting === true ? handlerWaits : html`<b>${row.method}</b>`) },
    { title: columns.from, of: ({ row }) => (row.from === "here" ? here : peer) },
    { title: columns.id, of: ({ row }) => row.id, number: true },
    { title: columns.age, of: ({ row }) => time(row.ageMs), number: true },
    { title: columns.left, of: ({ row }) => time(row.remainingMs), number: true },
  ];
}

function streamColumns(): readonly Column<Keyed<StreamRow>>[] {
  const { columns, here, peer } = texts();
  return [
    { title: columns.method, of: ({ row }) => html`<b>${row.method}</b>` },
    { title: columns.from, of: ({ row }) => (row.from === "here" ? here : peer) },
    { title: columns.id, of: ({ row }) => row.id, number: true },
    { title: columns.sentBytes, of: ({ row }) => bytes(row.sentBytes), number: true },
    { title: columns.free, of: ({ row }) => bytes(row.freeBytes), number: true },
    { title: columns.waits, of: ({ row }) => bytes(row.waitingBytes), number: true },
  ];
}

type ErrorRow = SessionDetail["lastErrors"][number] & { readonly id: number };

function errorColumns(): readonly Column<ErrorRow>[] {
  const { columns } = texts();
  return [
    { title: columns.code, of: ({ code }) => html`<code>${code}</code>` },
    { title: columns.operation, of: ({ op }) => op },
    { title: columns.ago, of: ({ agoMs }) => time(agoMs), number: true },
  ];
}

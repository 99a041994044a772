/** What waits in a session, and how much of its window is taken. */

import { html } from "htm/preact";
import type { VNode } from "preact";
import { bytes, count } from "./figures.ts";
import { texts } from "./texts.ts";
import type { SessionDetail } from "../../inspect/wire.ts";

/** The window of the peer as a bar, and the queues as figures. */
export function Gauges({ session }: { readonly session: SessionDetail }): VNode {
  const { gauges } = texts();
  const { credit, queues, replay } = session;
  const figures = [
    [gauges.unacknowledged, `${gauges.messages(replay.messages)} · ${String(bytes(replay.retainedBytes))}`],
    [gauges.fromPeer, bytes(credit.waitingBytes)],
    [gauges.waitingMessages, count(queues.waitingMessages)],
    [gauges.waitingRequests, count(queues.waitingRequests)],
  ] as const;
  return html`<${Window} ...${credit} />
    <dl class="figures">
      ${figures.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value ?? "–"}</dd></div>`)}
    </dl>`;
}

function Window({ windowBytes, freeBytes }: { readonly windowBytes: number; readonly freeBytes: number }): VNode {
  const { toPeer, toPeerHelp } = texts().gauges;
  return html`<label class="window" title=${toPeerHelp}>
    <span>${toPeer} <b>${bytes(freeBytes)} / ${bytes(windowBytes)}</b></span>
    <meter min="0" max=${windowBytes} value=${freeBytes} low=${windowBytes / 8}></meter>
  </label>`;
}

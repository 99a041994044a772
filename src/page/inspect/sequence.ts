/** What happens in a session, as a sequence diagram: this program at the left, its peer at the right, time goes down. */

import { html } from "htm/preact";
import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { addressOf } from "../shell/ask.ts";
import { type LinkState, listen } from "../shell/listen.ts";
import { linkText } from "../shell/shell.ts";
import { useSpace } from "../shell/space.ts";
import { time } from "./figures.ts";
import { type Numbered, shown, withNewer } from "./seen.ts";
import { texts } from "./texts.ts";
import { useVisible } from "../shell/visible.ts";
import type { SeenRow } from "../../inspect/wire.ts";

/** The last events of a session, from now on, and those that were seen before. */
export function Sequence({ id }: { readonly id: number }): VNode {
  const { here, peer, quietSession, pause, resume, sequenceHelp } = texts();
  const [events, setEvents] = useState<readonly Numbered[]>([]);
  const [link, setLink] = useState<LinkState>("lost");
  const [frozen, setFrozen] = useState<readonly Numbered[] | undefined>(undefined);
  const isVisible = useVisible();
  const drawn = frozen ?? events;
  const pauseOrGoOn = (): void => setFrozen(frozen === undefined ? events : undefined);
  const end = useRef<HTMLOListElement>(null);
  useEffect(() => {
    if (!isVisible) return undefined;
    return listen<SeenRow>(addressOf(`/sessions/${id}/events`), {
      rows: (rows) => setEvents((before) => withNewer(before, rows)),
      // Whoever listens anew is told of what was seen before.
      state: (state) => {
        setLink(state);
        if (state === "open") setEvents([]);
      },
    });
  }, [id, isVisible]);
  useEffect(() => {
    if (end.current !== null) end.current.scrollTop = end.current.scrollHeight;
  }, [drawn]);
  useSpace(pauseOrGoOn);
  return html`<div class="bar">
      <p class="quiet-text">${sequenceHelp}</p>
      <button aria-keyshortcuts="Space" onClick=${pauseOrGoOn}>${frozen === undefined ? pause : resume}</button>
    </div>
    <div class="lives"><b>${here}</b><b>${peer}</b></div>
    <ol class="sequence" ref=${end} tabindex="0">
      ${drawn.length === 0 ? html`<li class="seen note"><span class="words">${link === "full" ? linkText(link) : quietSession}</span></li>` : null}
      ${drawn.map(({ number, row }) => html`<${Seen} key=${number} row=${row} />`)}
    </ol>`;
}

function Seen({ row }: { readonly row: SeenRow }): VNode {
  const { kind, words } = shown(row, texts());
  return html`<li class="seen ${kind}">
    <time>${time(row.atMs)}</time>
    <span class="words">${words}</span>
    ${kind === "note" ? null : html`<svg class="arrow" aria-hidden="true" viewBox="0 0 10 8"><path d="M0 0 10 4 0 8z" /></svg>`}
  </li>`;
}

/** One lane for each proxy: its throughput of the last half minute, and a band for each fault. */

import { html } from "htm/preact";
import type { VNode } from "preact";
import { useState } from "preact/hooks";
import type { ProxyRow } from "../../proxy/page/wire.ts";
import { bytesText } from "../shell/bytes.ts";
import { inLanguage, language } from "../shell/language.ts";
import { Panel } from "../shell/shell.ts";
import { faultText, KINDS } from "./faults.ts";
import type { Kind } from "./kind-name.ts";
import { Plot } from "./lane-plot.ts";
import { type Band, type Lane, type PageState, shortName, SHOWN_MS } from "./state.ts";

const TEXTS = inLanguage({
  en: {
    title: "Proxies",
    begin: "Begin a fault",
    off: "Let nobody in",
    on: "Let clients in",
    closed: "nobody can connect",
    toServer: "to the server",
    toClient: "to the client",
    change: (text: string) => `${text}: change or end it`,
    over: "ended",
    plot: (name: string) => `throughput of ${name} in the last 30 seconds`,
    none: "no fault acts",
    find: "Find a proxy",
    more: (count: number) => `and ${count} more: find one by its name`,
  },
  es: {
    title: "Proxies",
    begin: "Empezar un fallo",
    off: "No dejar entrar",
    on: "Dejar entrar",
    closed: "nadie se puede conectar",
    toServer: "al servidor",
    toClient: "al cliente",
    change: (text) => `${text}: cambiarlo o terminarlo`,
    over: "terminado",
    plot: (name) => `caudal de ${name} en los últimos 30 segundos`,
    none: "no actúa ningún fallo",
    find: "Buscar un proxy",
    more: (count) => `y ${count} más: búscalo por su nombre`,
  },
});

/** What can be done in a lane. */
export interface LaneActions {
  readonly begin: (proxy: ProxyRow) => void;
  readonly edit: (proxy: ProxyRow, band: Band) => void;
  readonly turn: (proxy: ProxyRow) => void;
}

/** More would be too much for the browser, and for who looks. */
const MOST_LANES = 25;

/** All lanes; of many the first ones, or those that are looked for. */
export function Lanes({ state, actions }: { readonly state: PageState; readonly actions: LaneActions }): VNode {
  const { title, find, more } = TEXTS();
  const [wanted, setWanted] = useState("");
  const { proxies } = state;
  const isCrowd = proxies.length > MOST_LANES;
  const found = isCrowd ? proxies.filter(({ name }) => name.toLowerCase().includes(wanted.toLowerCase())) : proxies;
  const tools = html`<input type="search" placeholder=${find} aria-label=${find} value=${wanted}
    onInput=${({ currentTarget }: { readonly currentTarget: HTMLInputElement }) => setWanted(currentTarget.value)} />`;
  return html`<${Panel} name="lanes" title=${title} tools=${isCrowd ? tools : null}>
    ${found.slice(0, MOST_LANES).map(
      (proxy) => html`<${LaneView}
        key=${proxy.name}
        proxy=${proxy}
        lane=${state.lanes.get(proxy.name)}
        bands=${state.bands.filter((band) => band.proxy === proxy.name)}
        nowMs=${state.nowMs}
        actions=${actions}
      />`,
    )}
    ${found.length > MOST_LANES ? html`<p class="quiet-text">${more(found.length - MOST_LANES)}</p>` : ""}
  <//>`;
}

interface LaneProps {
  readonly proxy: ProxyRow;
  readonly lane: Lane | undefined;
  readonly bands: readonly Band[];
  readonly nowMs: number;
  readonly actions: LaneActions;
}

function LaneView({ proxy, lane, bands, nowMs, actions }: LaneProps): VNode {
  const texts = TEXTS();
  const rate = (values: readonly number[] | undefined): string => `${bytesText(values?.at(-1) ?? 0, language())}/s`;
  return html`<article class="lane">
    <div class="about">
      <h3 title=${proxy.name}><bdi>${shortName(proxy.name)}</bdi></h3>
      <p class="way"><code>${short(proxy.listen)}</code> <span aria-hidden="true">→</span> <code>${short(proxy.upstream)}</code></p>
      <p class="rates">
        <span class="to-server" title=${texts.toServer}>→ ${rate(lane?.toServer)}</span>
        <span class="to-client" title=${texts.toClient}>← ${rate(lane?.toClient)}</span>
      </p>
      ${proxy.enabled ? "" : html`<p class="error">${texts.closed}</p>`}
      <p class="buttons">
        <button class="main" onClick=${() => actions.begin(proxy)}>${texts.begin}</button>
        <button onClick=${() => actions.turn(proxy)}>${proxy.enabled ? texts.off : texts.on}</button>
      </p>
    </div>
    <div class="time">
      <${Plot} lane=${lane} nowMs=${nowMs} label=${texts.plot(proxy.name)} />
      <div class="bands">
        ${bands.length === 0 ? html`<p class="quiet-text">${texts.none}</p>` : ""}
        ${bands.map((band) => html`<${BandView} key=${band.id} band=${band} nowMs=${nowMs} edit=${() => actions.edit(proxy, band)} />`)}
      </div>
    </div>
  </article>`;
}

/** The scheme is said by the kind of proxy; `tcp` is what one expects. */
function short(address: string): string {
  return address.replace(/^tcp:\/\//, "");
}

interface BandProps {
  readonly band: Band;
  readonly nowMs: number;
  readonly edit: () => void;
}

/** A band lies below the time in which the fault acted. */
function BandView({ band, nowMs, edit }: BandProps): VNode {
  const texts = TEXTS();
  const { fault, beganAtMs, endedAtMs } = band;
  const share = (atMs: number): number => Math.min(100, Math.max(0, ((atMs - nowMs + SHOWN_MS) / SHOWN_MS) * 100));
  const [left, right] = [share(beganAtMs), share(endedAtMs ?? nowMs)];
  const text = faultText(fault, language());
  // The name ends where the band does; of a band far on the left it begins there.
  const place = right > 40 ? { right: `${100 - right}%` } : { left: `${left}%` };
  const sort = Object.hasOwn(KINDS, fault.kind) ? KINDS[fault.kind as Kind].sort : "delay";
  const label = endedAtMs === undefined ? texts.change(text) : `${text}, ${texts.over}`;
  return html`<div class="row">
    <span class="stretch ${sort} ${endedAtMs === undefined ? "acting" : ""}" style=${{ left: `${left}%`, width: `${Math.max(0.6, right - left)}%` }}></span>
    <button class="band ${sort}" disabled=${endedAtMs !== undefined} style=${place} aria-label=${label} title=${label} onClick=${edit}>${text}</button>
  </div>`;
}

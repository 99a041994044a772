/** One lane for each proxy: its throughput of the last half minute, and a band for each fault. */

import { html } from "htm/preact";
import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import type { ProxyRow } from "../../proxy/page/wire.ts";
import { bytesText } from "../shell/bytes.ts";
import { inLanguage, language } from "../shell/language.ts";
import { Panel } from "../shell/shell.ts";
import { faultText, KINDS, type Kind } from "./faults.ts";
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

/** The chart. It is made once, and given other values. */
function Plot({
  lane,
  nowMs,
  label,
}: {
  readonly lane: Lane | undefined;
  readonly nowMs: number;
  readonly label: string;
}): VNode {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  useEffect(() => {
    const { current } = place;
    if (current === null) return undefined;
    const make = (): void => {
      plot.current?.destroy();
      plot.current = new uPlot(plotOptions(current), [[], [], []], current);
    };
    make();
    const size = new ResizeObserver(() => plot.current?.setSize({ width: current.clientWidth, height: 84 }));
    size.observe(current);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", make);
    return () => {
      size.disconnect();
      dark.removeEventListener("change", make);
      plot.current?.destroy();
    };
  }, []);
  useEffect(() => {
    const { current } = plot;
    if (lane === undefined || current === undefined) return;
    current.setData([[...lane.atMs], [...lane.toServer], lane.toClient.map((value) => -value)], false);
    current.setScale("x", { min: nowMs - SHOWN_MS, max: nowMs });
    const most = roundFigure(Math.max(1000, ...lane.toServer, ...lane.toClient));
    current.setScale("y", { min: -1.25 * most, max: 1.25 * most });
  }, [lane, nowMs]);
  return html`<div class="plot" role="img" aria-label=${label} ref=${place}></div>`;
}

/** Where uPlot puts the axis: a constant of its types alone, which has no value where it runs. */
// oxlint-disable-next-line typescript/no-unsafe-enum-assignment
const RIGHT = 1 as uPlot.Axis.Side;

/** The next of 1, 2 and 5 times a power of ten that is not less. */
function roundFigure(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((step) => step * power >= value) ?? 10) * power;
}

function plotOptions(place: HTMLElement): uPlot.Options {
  const style = getComputedStyle(place);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const line = (name: string): uPlot.Series => ({
    stroke: colour(name),
    fill: `${colour(name)}33`,
    width: 1.5,
    points: { show: false },
  });
  return {
    width: place.clientWidth,
    height: 84,
    legend: { show: false },
    cursor: { show: false },
    padding: [4, 0, 4, 0],
    scales: { x: { time: false, auto: false }, y: { auto: false } },
    axes: [
      { show: false },
      {
        side: RIGHT,
        size: 58,
        gap: 4,
        splits: (_plot, _axis, _min, most) => [-most / 1.25, 0, most / 1.25],
        stroke: colour("--quiet"),
        font: "11px system-ui, sans-serif",
        grid: { stroke: colour("--line"), width: 1 },
        ticks: { show: false },
        values: (_plot, values) =>
          values.map((value) => (value === 0 ? "0" : `${bytesText(Math.abs(value), language())}/s`)),
      },
    ],
    series: [{}, line("--to-server"), line("--to-client")],
  };
}

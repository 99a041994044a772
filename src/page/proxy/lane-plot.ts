/** The throughput of one lane, as a chart. */

import { html } from "htm/preact";
import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { bytesText } from "../shell/bytes.ts";
import { language } from "../shell/language.ts";
import { type Lane, SHOWN_MS } from "./state.ts";

/** The chart. It is made once, and given other values. */
export function Plot({
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

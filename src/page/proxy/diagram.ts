/** The sequence diagram of the selected connection, which scrolls by itself. Space stops the drawing, not the traffic. */

import { html } from "htm/preact";
import type { VNode } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { bytesText, timeText } from "../shell/bytes.ts";
import { inLanguage, language } from "../shell/language.ts";
import { Panel } from "../shell/shell.ts";
import { useSpace } from "../shell/space.ts";
import type { ServerClock } from "./clock.ts";
import { Details } from "./details.ts";
import type { FlowStore } from "./flow-store.ts";
import { Painter } from "./painter.ts";
import type { Target } from "./geometry.ts";
import { shortName } from "./state.ts";

const TEXTS = inLanguage({
  en: {
    title: "Sequence",
    none: "Choose a connection: its chunks are drawn here as they pass. What it says is shown only then.",
    of: (number: number, proxy: string) => `connection ${number} of ${proxy}`,
    client: "client",
    server: "server",
    stop: "Stop drawing (space)",
    go: "Go on drawing (space)",
    stopped: "the drawing has stopped; the traffic goes on",
    closer: "Closer (+)",
    wider: "Wider (−)",
    seconds: (text: string) => `${text} in sight`,
    missed: (count: number) => `${count} more were too many to draw`,
    legend: [
      ["cross", "lost"],
      ["repeated", "lost and sent again"],
      ["flip", "a bit flipped"],
      ["cut", "cut"],
      ["bolt", "reset"],
      ["pause", "held back by silence"],
      ["gap", "not seen: the page was hidden"],
    ],
    help: "Arrow up and down go from arrow to arrow, Escape leaves, plus and minus change the scale, space stops the drawing.",
  },
  es: {
    title: "Secuencia",
    none: "Elige una conexión: aquí se dibujan sus trozos según pasan. Lo que dice solo se enseña entonces.",
    of: (number, proxy) => `conexión ${number} de ${proxy}`,
    client: "cliente",
    server: "servidor",
    stop: "Parar el dibujo (espacio)",
    go: "Seguir dibujando (espacio)",
    stopped: "el dibujo está parado; el tráfico sigue",
    closer: "Más cerca (+)",
    wider: "Más lejos (−)",
    seconds: (text) => `${text} a la vista`,
    missed: (count) => `${count} más eran demasiados para dibujarlos`,
    legend: [
      ["cross", "perdido"],
      ["repeated", "perdido y repetido"],
      ["flip", "un bit invertido"],
      ["cut", "cortado"],
      ["bolt", "reset"],
      ["pause", "retenido por el silencio"],
      ["gap", "no visto: la página no estaba a la vista"],
    ],
    help: "Las flechas arriba y abajo van de una a otra, Escape sale, más y menos cambian la escala, el espacio para el dibujo.",
  },
});

/** How much may be in sight. */
const SCALES_MS = [250, 500, 1000, 2000, 4000, 8000, 15_000, 30_000];
const USUAL_SCALE = 3;

/** How each mark looks in the legend. */
const SIGNS: Readonly<Record<string, string>> = {
  cross: "M6 3l10 10m0-10l-10 10",
  repeated: "M0 8H22",
  flip: "M11 2l6 6l-6 6l-6-6Z",
  cut: "M11 1V15",
  pause: "M8 2v12m6 0v-12",
  gap: "M0 2H22V14H0Z",
  bolt: "M13 0l-8 10h6l-3 6l9-9h-6l4-7Z",
};

/** What the diagram needs. */
export interface DiagramProps {
  readonly flow: FlowStore;
  readonly clock: ServerClock;
  readonly selected: { readonly proxy: string; readonly number: number } | undefined;
}

/** The diagram, and beside it what is known of the arrow that is pointed at. */
export function Diagram({ flow, clock, selected }: DiagramProps): VNode {
  const texts = TEXTS();
  const place = useRef<SVGSVGElement>(null);
  const painter = useRef<Painter>(undefined);
  const [scale, setScale] = useState(USUAL_SCALE);
  const [stopped, setStopped] = useState(false);
  const [shown, setShown] = useState<{ readonly key: string; readonly target: Target | undefined }>();
  const [missed, setMissed] = useState(0);
  const key = selected === undefined ? "" : `${selected.number}/${selected.proxy}`;

  // At once, not behind the next picture: what the page says of the drawing is true from when it says it.
  useLayoutEffect(() => {
    setStopped(false);
    if (place.current === null) return undefined;
    const textOf = (size: number): string => bytesText(size, language());
    const own = new Painter(place.current, flow, clock, {
      pointed: (target) => setShown({ key, target }),
      missed: setMissed,
      textOf,
    });
    painter.current = own;
    return () => own.stop();
  }, [key]);
  useLayoutEffect(() => {
    if (painter.current === undefined) return;
    painter.current.shownMs = SCALES_MS[scale] ?? 2000;
    painter.current.isStopped = stopped;
  });
  useSpace(() => setStopped((before) => !before));

  const turn = (by: number): void => setScale((before) => Math.min(SCALES_MS.length - 1, Math.max(0, before + by)));
  const onKey = (event: KeyboardEvent): void => {
    const steps: Readonly<Record<string, () => void>> = {
      ArrowDown: () => painter.current?.step(1),
      ArrowUp: () => painter.current?.step(-1),
      Escape: () => painter.current?.pin(undefined),
      "+": () => turn(-1),
      "-": () => turn(1),
    };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    if (event.key.startsWith("Arrow")) setStopped(true);
    step();
  };
  const tools = html`<span class="quiet-text">${texts.seconds(timeText(SCALES_MS[scale] ?? 0, language()))}</span>
    <button title=${texts.closer} aria-label=${texts.closer} onClick=${() => turn(-1)}>+</button>
    <button title=${texts.wider} aria-label=${texts.wider} onClick=${() => turn(1)}>−</button>
    <button aria-pressed=${stopped} onClick=${() => setStopped(!stopped)}>${stopped ? texts.go : texts.stop}</button>`;
  const title =
    selected === undefined ? texts.title : `${texts.title} · ${texts.of(selected.number, shortName(selected.proxy))}`;
  return html`<${Panel} name="sequence" title=${title} tools=${selected === undefined ? null : tools}>
    ${
      selected === undefined
        ? html`<p class="hint">${texts.none}</p>`
        : html`<div class="ends" aria-hidden="true"><b>${texts.client}</b><b>${texts.server}</b></div>
          <svg
            ref=${place}
            class="diagram ${stopped ? "stopped" : ""}"
            tabindex="0"
            role="img"
            aria-label=${`${title}. ${texts.help}`}
            onKeyDown=${onKey}
            onClick=${() => setStopped(painter.current?.pinPointed() ?? stopped)}
          ></svg>
          <${Legend} />
          <p class="quiet-text note" role="status">
            ${stopped ? texts.stopped : ""} ${missed > 0 ? texts.missed(missed) : ""}
          </p>`
    }
    <${Details} target=${shown?.key === key ? shown.target : undefined} />
  <//>`;
}

function Legend(): VNode {
  return html`<ul class="legend">
    ${TEXTS().legend.map(([mark = "", text]) => html`<li><svg class="diagram" viewBox="0 0 22 16" aria-hidden="true"><path class=${mark} d=${SIGNS[mark]} /></svg>${text}</li>`)}
  </ul>`;
}

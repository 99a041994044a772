/** Draws the diagram into its element, some times a second: one path for each kind of mark, and a few labels. */

import type { FlowRow } from "../../proxy/page/wire.ts";
import type { ServerClock } from "./clock.ts";
import type { FlowStore } from "./flow-store.ts";
import { type Drawing, drawingOf, isSame, lineOf, MARGIN, type Mark, nearest, type Target } from "./geometry.ts";

const SVG = "http://www.w3.org/2000/svg";
/** Smooth enough for what scrolls, at a part of the work of each frame. */
const FRAME_MS = 33;
/** From the lowest to the highest. */
const MARKS: readonly Mark[] = [
  "gap",
  "moment",
  "held",
  "end",
  "toServer",
  "toClient",
  "repeated",
  "lost",
  "toServerHead",
  "toClientHead",
  "cut",
  "flip",
  "pause",
  "cross",
  "bolt",
];

/** Whom the painter tells. */
export interface Told {
  /** Another arrow is pointed at, or none. */
  readonly pointed: (target: Target | undefined) => void;
  readonly missed: (count: number) => void;
  /** What stands beside an arrow of so many bytes. */
  readonly textOf: (size: number) => string;
}

/** Draws until it is stopped. */
export class Painter {
  /** How much is in sight. */
  shownMs = 2000;
  readonly #place: SVGSVGElement;
  readonly #flow: FlowStore;
  readonly #clock: ServerClock;
  readonly #told: Told;
  readonly #paths: ReadonlyMap<Mark, SVGPathElement>;
  readonly #lives: SVGPathElement;
  readonly #labels: SVGGElement;
  readonly #picked: SVGPathElement;
  #drawing: Drawing | undefined;
  #pointer: readonly [x: number, y: number] | undefined;
  #pinned: Target | undefined;
  #shown: Target | undefined;
  #frame: number;
  #drawnAtMs = 0;
  #endMs: number | undefined;
  #missed = 0;
  #last = "";

  constructor(place: SVGSVGElement, flow: FlowStore, clock: ServerClock, told: Told) {
    this.#place = place;
    this.#flow = flow;
    this.#clock = clock;
    this.#told = told;
    place.replaceChildren();
    this.#lives = this.#path("life");
    this.#paths = new Map(MARKS.map((mark) => [mark, this.#path(mark)]));
    this.#labels = document.createElementNS(SVG, "g");
    this.#labels.setAttribute("class", "labels");
    place.append(this.#labels);
    this.#picked = this.#path("picked");
    place.addEventListener("pointermove", this.#moved);
    place.addEventListener("pointerleave", this.#left);
    this.#frame = requestAnimationFrame(this.#draw);
  }

  /** Whether the time stands still. What comes is kept. */
  set isStopped(stopped: boolean) {
    this.#endMs = stopped ? (this.#endMs ?? this.#clock.now()) : undefined;
  }

  stop(): void {
    cancelAnimationFrame(this.#frame);
    this.#place.removeEventListener("pointermove", this.#moved);
    this.#place.removeEventListener("pointerleave", this.#left);
  }

  /** Shows an arrow until another one is pointed at. */
  pin(target: Target | undefined): void {
    this.#pinned = target;
    this.#last = "";
  }

  /** Pins what is pointed at. Answers whether there was something. */
  pinPointed(): boolean {
    this.pin(this.#pointed());
    return this.#pinned !== undefined;
  }

  /** Goes to the next arrow in sight, or to the one before. */
  step(by: 1 | -1): void {
    const targets = this.#drawing?.targets ?? [];
    const pinned = this.#pinned;
    const at = pinned === undefined ? -1 : targets.findIndex((target) => isSame(target, pinned));
    const next = at < 0 ? (by > 0 ? 0 : targets.length - 1) : Math.min(targets.length - 1, Math.max(0, at + by));
    this.pin(targets[next]);
  }

  readonly #moved = ({ offsetX, offsetY }: PointerEvent): void => {
    this.#pointer = [offsetX, offsetY];
    this.#last = "";
  };
  readonly #left = (): void => {
    this.#pointer = undefined;
    this.#last = "";
  };

  readonly #draw = (atMs: number): void => {
    this.#frame = requestAnimationFrame(this.#draw);
    if (atMs - this.#drawnAtMs < FRAME_MS) return;
    this.#drawnAtMs = atMs;
    const { clientWidth: width, clientHeight: height } = this.#place;
    const toMs = this.#endMs ?? this.#clock.now();
    // Nothing has moved, and nothing is new.
    const state = `${Math.round((toMs / this.shownMs) * height)} ${this.#flow.version} ${this.shownMs} ${width} ${height}`;
    if (state === this.#last) return;
    this.#last = state;
    const view = { fromMs: toMs - this.shownMs, toMs, width, height };
    const textOf = ({ size = 0, kind }: FlowRow): string => (kind === "end" ? "FIN" : this.#told.textOf(size));
    const drawing = drawingOf(this.#flow.rows, view, textOf, this.#flow.gaps);
    this.#drawing = drawing;
    set(this.#lives, "d", `M${MARGIN} 0V${height}M${width - MARGIN} 0V${height}`);
    for (const [mark, path] of this.#paths) set(path, "d", drawing.paths[mark]);
    this.#drawLabels(drawing);
    this.#point();
    if (this.#missed !== this.#flow.missed) this.#told.missed(this.#flow.missed);
    this.#missed = this.#flow.missed;
  };

  #drawLabels({ labels }: Drawing): void {
    const { children } = this.#labels;
    while (children.length > labels.length) this.#labels.lastChild?.remove();
    while (children.length < labels.length) this.#labels.append(document.createElementNS(SVG, "text"));
    for (const [index, { x, y, text, way }] of labels.entries()) {
      const element = children[index] as SVGTextElement;
      set(element, "x", String(Math.round(x)));
      set(element, "y", String(Math.round(y * 10) / 10));
      set(element, "class", way ?? "");
      if (element.textContent !== text) element.textContent = text;
    }
  }

  /** Tells what is pointed at, and marks it. */
  #point(): void {
    const wanted = this.#pointed() ?? this.#pinned;
    const targets = this.#drawing?.targets ?? [];
    const drawn = targets.find((target) => isSame(target, wanted));
    set(this.#picked, "d", drawn === undefined ? "" : lineOf(drawn));
    const next = drawn ?? wanted;
    if (next?.row === this.#shown?.row && next?.piece === this.#shown?.piece) return;
    this.#shown = next;
    this.#told.pointed(next);
  }

  #pointed(): Target | undefined {
    if (this.#pointer === undefined || this.#drawing === undefined) return undefined;
    return nearest(this.#drawing.targets, ...this.#pointer);
  }

  #path(name: string): SVGPathElement {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("class", name);
    this.#place.append(path);
    return path;
  }
}

/** Writes an attribute only where it is another: each write is work for the browser. */
function set(element: Element, name: string, value: string): void {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

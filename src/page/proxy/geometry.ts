/** The sequence diagram as lines: time goes down, one line of life for the client on the left and one for the server on the right. */

import type { FlowRow, PieceRow, Way } from "../../proxy/page/wire.ts";
import type { Gap, KeptRow } from "./flow-store.ts";

/** What of the connection is in sight. */
export interface View {
  readonly fromMs: number;
  readonly toMs: number;
  /** In pixels. */
  readonly width: number;
  readonly height: number;
}

/** The kinds of marks; each is one path, however many marks there are. */
export type Mark =
  | "gap"
  | "toServer"
  | "toClient"
  | "toServerHead"
  | "toClientHead"
  | "repeated"
  | "lost"
  | "cross"
  | "bolt"
  | "flip"
  | "cut"
  | "held"
  | "pause"
  | "end"
  | "moment";

/** An arrow that can be pointed at. */
export interface Target {
  readonly row: KeptRow;
  readonly piece: PieceRow | undefined;
  /** The number of the piece in its row. */
  readonly index: number;
  /** Where in the middle it has waited: until this height. */
  readonly waitsToY?: number | undefined;
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
}

/** A short text beside the life line at which an arrow begins, where no arrow goes. */
export interface Label {
  readonly x: number;
  readonly y: number;
  readonly text: string;
  readonly way: Way | undefined;
}

/** A drawing. */
export interface Drawing {
  readonly paths: Readonly<Record<Mark, string>>;
  readonly targets: readonly Target[];
  readonly labels: readonly Label[];
}

/** Between the edge of the drawing and the lines of life: as wide as the longest label. */
export const MARGIN = 56;
/** Arrows that differ by less are one arrow. */
const SAME_PIXELS = 2;
/** A label needs so much. */
const LABEL_PIXELS = 15;
/** Whatever it costs, no more is drawn. */
const MOST_TARGETS = 6000;

const NO_PATHS: Record<Mark, string> = {
  gap: "",
  toServer: "",
  toClient: "",
  toServerHead: "",
  toClientHead: "",
  repeated: "",
  lost: "",
  cross: "",
  bolt: "",
  flip: "",
  cut: "",
  held: "",
  pause: "",
  end: "",
  moment: "",
};

/** Draws what is in sight. @param textOf - What stands beside an arrow. @param gaps - When nothing was heard. */
export function drawingOf(
  rows: readonly KeptRow[],
  view: View,
  textOf: (row: FlowRow) => string,
  gaps: readonly Gap[] = [],
): Drawing {
  const { fromMs, toMs, width, height } = view;
  const paths = { ...NO_PATHS };
  const targets: Target[] = [];
  const labels: Label[] = [];
  const drawn = new Set<string>();
  const lastLabel: Record<Way, number> = { toServer: Number.NEGATIVE_INFINITY, toClient: Number.NEGATIVE_INFINITY };
  const yOf = (ms: number): number => ((ms - fromMs) / (toMs - fromMs)) * height;
  for (const gap of gaps) {
    const [from, to] = [yOf(gap.fromMs), yOf(gap.toMs)].map((y) => pixel(Math.min(height, Math.max(0, y))));
    if (from !== to) paths.gap += `M${MARGIN} ${from}H${width - MARGIN}V${to}H${MARGIN}Z`;
  }
  for (const row of rows) {
    if (row.atMs > toMs) break;
    if (lastMsOf(row) < fromMs || targets.length >= MOST_TARGETS) continue;
    const isRight = row.way === "toClient";
    const [x1, x2] = isRight ? [width - MARGIN, MARGIN] : [MARGIN, width - MARGIN];
    const y1 = yOf(row.atMs);
    if (row.way === undefined) moment(paths, targets, row, y1, width);
    for (const [index, piece] of (row.pieces ?? []).entries()) {
      const waitsToY = row.isHeld === true ? yOf(row.heldUntilMs ?? toMs) : undefined;
      const isWaiting = row.isHeld === true && row.heldUntilMs === undefined;
      const isLost = piece.leavesAtMs === undefined || isWaiting;
      const y2 = isLost ? (waitsToY ?? y1 + 6) : yOf(piece.leavesAtMs ?? 0);
      const target = { row, piece, index, x1, y1, x2, y2, waitsToY };
      const key = `${markKey(row, piece)} ${Math.round(y1 / SAME_PIXELS)} ${Math.round(target.y2 / SAME_PIXELS)}`;
      if (drawn.has(key)) continue;
      drawn.add(key);
      targets.push(target);
      arrow(paths, target, row.way ?? "toServer");
    }
    const { way } = row;
    if (way === undefined || y1 - lastLabel[way] < LABEL_PIXELS) continue;
    // None is cut off at the edge.
    if (y1 < LABEL_PIXELS / 2 || y1 > height - LABEL_PIXELS / 2) continue;
    lastLabel[way] = y1;
    labels.push({ x: isRight ? x1 + 6 : x1 - 6, y: y1 + 4, text: textOf(row), way });
  }
  return { paths, targets, labels };
}

/** When nothing of a row is in sight any more. */
function lastMsOf({ atMs, pieces = [], isHeld, heldUntilMs }: KeptRow): number {
  if (isHeld === true && heldUntilMs === undefined) return Number.POSITIVE_INFINITY;
  return Math.max(heldUntilMs ?? atMs, ...pieces.map(({ leavesAtMs = atMs }) => leavesAtMs));
}

/** What makes two arrows at one place the same arrow. */
function markKey({ kind, way, outcome }: FlowRow, { leavesAtMs, losses, flippedBit }: PieceRow): string {
  return [kind, way, outcome, leavesAtMs === undefined, losses !== undefined, flippedBit !== undefined].join();
}

function arrow(paths: Record<Mark, string>, target: Target, way: Way): void {
  if (target.waitsToY === undefined) return free(paths, target, way);
  const { row, piece, x1, y1, x2, waitsToY } = target;
  const x = (x1 + x2) / 2;
  paths.held += `M${pixel(x1)} ${pixel(y1)}H${pixel(x)}V${pixel(waitsToY)}`;
  paths.pause += `M${pixel(x - 3)} ${pixel(y1 - 5)}v10m6 0v-10`;
  if (row.heldUntilMs === undefined) return;
  if (piece?.leavesAtMs === undefined) paths.cross += cross(x, waitsToY);
  else free(paths, { ...target, x1: x, y1: waitsToY }, way);
}

/** An arrow that nothing holds back, or not any more. */
function free(paths: Record<Mark, string>, { row, piece, x1, y1, x2, y2 }: Target, way: Way): void {
  const line = (mark: Mark, toX: number, toY: number): void => {
    paths[mark] += `M${pixel(x1)} ${pixel(y1)}L${pixel(toX)} ${pixel(toY)}`;
  };
  const at = (share: number): readonly [number, number] => [x1 + (x2 - x1) * share, y1 + (y2 - y1) * share];
  if (piece?.leavesAtMs === undefined) {
    const [x, y] = at(0.5);
    line("lost", x, y);
    paths.cross += cross(x, y);
    return;
  }
  if (row.kind === "end") {
    line("end", x2, y2);
    paths[way === "toServer" ? "toServerHead" : "toClientHead"] += head(x2, y2, x1, y1);
    return;
  }
  const isCut = row.outcome !== undefined && piece === row.pieces?.at(-1);
  line(piece.losses === undefined ? way : "repeated", x2, y2);
  paths[way === "toServer" ? "toServerHead" : "toClientHead"] += head(x2, y2, x1, y1);
  if (piece.losses !== undefined) paths.cross += cross(...at(0.3));
  if (piece.flippedBit !== undefined) paths.flip += flip(...at(0.7));
  if (isCut) paths.cut += `M${pixel(x2)} ${pixel(y2 - 7)}V${pixel(y2 + 7)}`;
}

/** Something that happens to the whole connection at one moment. */
function moment(paths: Record<Mark, string>, targets: Target[], row: FlowRow, y: number, width: number): void {
  targets.push({ row, piece: undefined, index: 0, x1: MARGIN, y1: y, x2: width - MARGIN, y2: y });
  paths.moment += `M${MARGIN} ${pixel(y)}H${pixel(width - MARGIN)}`;
  if (row.kind === "reset") for (const x of [MARGIN, width - MARGIN]) paths.bolt += bolt(x, y);
}

/** A tenth of a pixel is enough, and short. */
function pixel(value: number): number {
  return Math.round(value * 10) / 10;
}

function head(x: number, y: number, fromX: number, fromY: number): string {
  const length = Math.hypot(x - fromX, y - fromY) || 1;
  const [dx, dy] = [((fromX - x) / length) * 7, ((fromY - y) / length) * 7];
  return `M${pixel(x)} ${pixel(y)}L${pixel(x + dx - dy / 2)} ${pixel(y + dy + dx / 2)}L${pixel(x + dx + dy / 2)} ${pixel(y + dy - dx / 2)}Z`;
}

function cross(x: number, y: number): string {
  return `M${pixel(x - 5)} ${pixel(y - 5)}l10 10m0-10l-10 10`;
}

function flip(x: number, y: number): string {
  return `M${pixel(x)} ${pixel(y - 6)}l6 6l-6 6l-6-6Z`;
}

function bolt(x: number, y: number): string {
  return `M${pixel(x + 2)} ${pixel(y - 11)}l-8 12h6l-3 10l9-13h-6l4-9Z`;
}

/** The arrow next to a point, if one is near. */
export function nearest(targets: readonly Target[], x: number, y: number): Target | undefined {
  let best: Target | undefined;
  let least = 9;
  for (const target of targets) {
    const distance = distanceTo(target, x, y);
    if (distance >= least) continue;
    least = distance;
    best = target;
  }
  return best;
}

/** How far above or below an arrow a point is. One that has waited is a line to the middle, one down there, and one from there on. */
function distanceTo({ x1, y1, x2, y2, waitsToY }: Target, x: number, y: number): number {
  const share = x2 === x1 ? 0 : Math.min(1, Math.max(0, (x - x1) / (x2 - x1)));
  if (waitsToY === undefined) return Math.abs(y - (y1 + (y2 - y1) * share));
  const across = Math.abs(x - (x1 + x2) / 2);
  const down = y > y1 && y < waitsToY ? across : Number.POSITIVE_INFINITY;
  return Math.min(down, Math.abs(y - (share < 0.5 ? y1 : waitsToY + (y2 - waitsToY) * (2 * share - 1))));
}

/** The line of an arrow. */
export function lineOf({ x1, y1, x2, y2, waitsToY }: Target): string {
  if (waitsToY === undefined) return `M${pixel(x1)} ${pixel(y1)}L${pixel(x2)} ${pixel(y2)}`;
  return `M${pixel(x1)} ${pixel(y1)}H${pixel((x1 + x2) / 2)}V${pixel(waitsToY)}L${pixel(x2)} ${pixel(y2)}`;
}

/** Whether both are about the same: a row becomes another object when more is known of it. */
export function isSame(one: Target | undefined, other: Target | undefined): boolean {
  return one?.row.id === other?.row.id && one?.index === other?.index;
}

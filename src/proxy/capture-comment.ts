/** What the comment of a captured packet says: which faults acted on it, and what they did. */

import type { Draw } from "../core/faults/draw.ts";
import { roundedMs } from "./microseconds.ts";
import type { ChunkEvent, DatagramEvent, EndEvent } from "./watch.ts";

/** Of what was drawn. */
const SHOWN_DIGITS = 4;
/** Delays of less are those of the proxy itself. */
const LEAST_DELAY_MS = 0.001;
/** The most draws of one comment: a large chunk has some for each of its segments. */
const MOST_DRAWS = 8;
const HELD = "held back until the silence ends";

/** About bytes of a connection; undefined when nothing was done to them. */
export function chunkComment(event: ChunkEvent): string | undefined {
  const { faults, pieces, lostTo, isHeld, outcome, atMs, bytes, draws } = event;
  if (lostTo !== undefined) return `lost: ${lostTo}${drawsText(draws)}`;
  const done: string[] = [];
  const losses = pieces.reduce((sum, piece) => sum + piece.losses, 0);
  if (losses > 0) {
    const why = [...new Set(pieces.map((one) => one.lostTo).filter((reason) => reason !== undefined))].join(", ");
    done.push(`lost ${losses === 1 ? "once" : `${losses} times`} (${why}) and sent again`);
  }
  for (const { flippedBit } of pieces) if (flippedBit !== undefined) done.push(`bit ${flippedBit} is flipped`);
  const delays = delayText(pieces.map(({ leavesAtMs }) => leavesAtMs - atMs));
  if (pieces.length > 1) done.push(`passed on in ${pieces.length} pieces${delays === "" ? "" : `, ${delays}`}`);
  else if (delays !== "") done.push(`passed on ${delays}`);
  if (isHeld) done.push(HELD);
  const passed = pieces.at(-1)?.end ?? 0;
  if (passed < bytes.length) done.push(`only ${passed} of ${bytes.length} bytes are passed on`);
  if (outcome === "cut") done.push("the connection closes behind them");
  if (outcome === "timed out") done.push("the connection is lost");
  return commentOf(faults, done, [...draws, ...pieces.flatMap((piece) => piece.draws)]);
}

/** About a datagram. */
export function datagramComment(event: DatagramEvent): string | undefined {
  const { faults, lostTo, leavesAtMs, flippedBit, atMs, draws } = event;
  if (lostTo !== undefined) return `lost: ${lostTo}${drawsText(draws)}`;
  const done: string[] = [];
  if (flippedBit !== undefined) done.push(`bit ${flippedBit} is flipped`);
  const delays = delayText(leavesAtMs.map((leaves) => leaves - atMs));
  if (leavesAtMs.length > 1) done.push(`passed on twice${delays === "" ? "" : `, ${delays}`}`);
  else if (delays !== "") done.push(`passed on ${delays}`);
  return commentOf(faults, done, draws);
}

/** About the end of a direction. */
export function endComment({ leavesAtMs, isHeld, atMs }: EndEvent): string | undefined {
  if (leavesAtMs === undefined) return "lost: the end is not passed on";
  if (isHeld) return HELD;
  const delay = delayText([leavesAtMs - atMs]);
  return delay === "" ? undefined : `passed on ${delay}`;
}

function commentOf(faults: readonly string[], done: readonly string[], draws: readonly Draw[]): string | undefined {
  if (done.length === 0) return undefined;
  // Without a fault they wait behind others, which a fault has delayed.
  return `${faults.length === 0 ? "behind others" : faults.join(", ")}: ${done.join("; ")}${drawsText(draws)}`;
}

/** What was drawn, in its order. */
function drawsText(draws: readonly Draw[]): string {
  if (draws.length === 0) return "";
  const more = draws.length > MOST_DRAWS ? ` and ${draws.length - MOST_DRAWS} more` : "";
  return `; drawn: ${draws.slice(0, MOST_DRAWS).map(drawText).join(", ")}${more}`;
}

function drawText({ of, drawn, below, fault }: Draw): string {
  const name = fault === undefined ? of : `${of} of ${fault}`;
  const [value, limit] = [drawn, below ?? 0].map((number) => Number(number.toPrecision(SHOWN_DIGITS)));
  if (below !== undefined) return `${name} ${value} ${drawn < below ? "<" : ">="} ${limit}`;
  return `${name} ${value} ${of === "latency" ? "ms" : "bytes"}`;
}

function delayText(delays: readonly number[]): string {
  // They are planned a moment before they are told.
  const [least = 0, most = 0] = [Math.min(...delays), Math.max(...delays)].map((ms) => Math.max(0, roundedMs(ms)));
  if (!(most >= LEAST_DELAY_MS && most < Number.POSITIVE_INFINITY)) return "";
  return least === most ? `${most} ms later` : `${least} to ${most} ms later`;
}

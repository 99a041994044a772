/** What the page knows, and how it changes with each message. Pure, and bounded whatever comes. */

import type {
  CapturedRow,
  ConnectionRow,
  FaultFields,
  PageMessage,
  PlayRow,
  ProxyRow,
  PulseMessage,
  RecordingRow,
  StateMessage,
} from "../../proxy/page/wire.ts";

/** What the lanes show, in milliseconds. */
export const SHOWN_MS = 30_000;
/** Faults that are over and still shown. A program that toggles faults must not fill the browser. */
const MOST_BANDS = 200;
/** Values of a lane: pulses come four times a second, and a little more often when the page changes something. */
const MOST_VALUES = 240;

/** A fault, from when the page heard of it until it ended. */
export interface Band {
  readonly id: number;
  readonly proxy: string;
  readonly fault: FaultFields;
  /** Minus infinity when it acted before the page was opened. */
  readonly beganAtMs: number;
  /** Undefined while it acts. */
  readonly endedAtMs: number | undefined;
}

/** The throughput of a proxy over time, in bytes a second. */
export interface Lane {
  readonly atMs: readonly number[];
  readonly toServer: readonly number[];
  readonly toClient: readonly number[];
  readonly bytes: readonly [toServer: number, toClient: number];
}

/** What the page knows. */
export interface PageState {
  readonly seed: number;
  /** By the clock of the proxies, in milliseconds. */
  readonly nowMs: number;
  readonly proxies: readonly ProxyRow[];
  /** By the name of the proxy, which may be any text. */
  readonly lanes: ReadonlyMap<string, Lane>;
  readonly bands: readonly Band[];
  readonly connections: readonly ConnectionRow[];
  readonly more: number;
  readonly plays: readonly PlayRow[];
  readonly recording: RecordingRow;
  readonly captured: CapturedRow;
  /** Whether the first message has come: faults that it has are older than the page. */
  readonly isKnown: boolean;
}

/** Before the first message. */
export const NOTHING: PageState = {
  seed: 0,
  nowMs: 0,
  proxies: [],
  lanes: new Map(),
  bands: [],
  connections: [],
  more: 0,
  plays: [],
  recording: { state: "none", beganAtMs: 0, schedule: undefined },
  captured: { bytes: 0, lost: 0 },
  isKnown: false,
};

/** The state behind a message. Those about the selected connection are not for it. */
export function reduced(state: PageState, message: PageMessage): PageState {
  if (message.type === "state") return withState(state, message);
  return message.type === "pulse" ? withPulse(state, message) : state;
}

function withState(state: PageState, { seed, proxies, plays, recording }: StateMessage): PageState {
  const acting = proxies.flatMap(({ name, faults }) => faults.map(({ id, fault }) => ({ id, proxy: name, fault })));
  const ids = new Set(acting.map(({ id }) => id));
  const known = new Set(state.bands.map(({ id }) => id));
  const { nowMs } = state;
  const beganAtMs = state.isKnown ? nowMs : Number.NEGATIVE_INFINITY;
  const bands = [
    ...state.bands.map((band) =>
      band.endedAtMs === undefined && !ids.has(band.id) ? { ...band, endedAtMs: nowMs } : band,
    ),
    ...acting.filter(({ id }) => !known.has(id)).map((band) => ({ ...band, beganAtMs, endedAtMs: undefined })),
  ];
  return { ...state, seed, proxies, plays, recording, bands: bounded(bands, nowMs), isKnown: true };
}

/** Those that act, and the last ones that are still in sight. */
function bounded(bands: readonly Band[], nowMs: number): readonly Band[] {
  const shown = bands.filter(({ endedAtMs = Number.POSITIVE_INFINITY }) => endedAtMs > nowMs - SHOWN_MS);
  const tooMany = shown.filter(({ endedAtMs }) => endedAtMs !== undefined).slice(0, -MOST_BANDS);
  return tooMany.length === 0 ? shown : shown.filter((band) => !tooMany.includes(band));
}

function withPulse(state: PageState, { nowMs, bytes, connections, more, captured }: PulseMessage): PageState {
  const lanes = Object.entries(bytes).map(
    ([name, sums]) => [name, withValue(state.lanes.get(name), nowMs, sums)] as const,
  );
  const bands = bounded(state.bands, nowMs);
  return { ...state, nowMs, lanes: new Map(lanes), bands, connections, more, captured };
}

function withValue(lane: Lane | undefined, nowMs: number, bytes: Lane["bytes"]): Lane {
  const before = lane?.atMs.at(-1);
  if (lane === undefined || before === undefined) return { atMs: [nowMs], toServer: [0], toClient: [0], bytes };
  const seconds = (nowMs - before) / 1000;
  // Two at one moment, such as behind a change: the second says nothing about throughput.
  if (seconds < 0.05) return lane;
  const first = Math.max(
    lane.atMs.findIndex((atMs) => atMs > nowMs - SHOWN_MS - 1000),
    lane.atMs.length + 1 - MOST_VALUES,
    0,
  );
  const rate = (way: 0 | 1): number => Math.max(0, bytes[way] - lane.bytes[way]) / seconds;
  return {
    atMs: [...lane.atMs.slice(first), nowMs],
    toServer: [...lane.toServer.slice(first), rate(0)],
    toClient: [...lane.toClient.slice(first), rate(1)],
    bytes,
  };
}

/** What a place has room for. */
const MOST_CHARACTERS = 60;

/** The beginning of a name that is too long for its place. */
export function shortName(name: string): string {
  const characters = Array.from(name.slice(0, 2 * MOST_CHARACTERS + 2));
  return characters.length > MOST_CHARACTERS ? `${characters.slice(0, MOST_CHARACTERS).join("")}…` : name;
}

/** Draws a sequence diagram: hosts as lines, packets as arrows, faults as areas. */

import { arrow, bolt, box, cross, n, stroke, svg, text, type TextLook, type Tone } from "./svg.ts";

/** One packet on its way. */
export interface Flight {
  readonly from: string;
  /** Undefined where the trace does not know. */
  to: string | undefined;
  readonly sentUs: number;
  /** When it arrived, or was lost at its receiver; undefined when it did neither. */
  arrivedUs?: number;
  /** Why it did not arrive. */
  lost?: string;
  /** It is the second arrival of one packet. */
  readonly again?: boolean;
  /** What is written at it. */
  readonly label: readonly string[];
  readonly tone: Tone;
}

/** A time during which something is wrong with a host, with the way between two, or with the network. */
export interface Band {
  readonly name: string;
  /** Of a way, the direction that it stands in, if the other one is free. */
  readonly way?: string;
  /** One host, or two with the way between them; none for the network. */
  readonly hosts: readonly string[];
  readonly beginsUs: number;
  /** Undefined: until the end. */
  endsUs?: number;
}

/** A moment at one host without a packet that was sent to it: a reset by a middlebox, a jump of a clock. */
export interface Moment {
  readonly host: string;
  readonly atUs: number;
  readonly name: string;
}

/** All of it. */
export interface Sequence {
  readonly hosts: readonly string[];
  readonly flights: readonly Flight[];
  readonly bands: readonly Band[];
  readonly moments: readonly Moment[];
  readonly endUs: number;
}

/** Which part of a sequence to draw, and how. */
export interface DrawingOptions {
  readonly title: string;
  /** Virtual time; default: from the first packet to the last. */
  readonly fromUs?: number;
  readonly toUs?: number;
  /** At most this many packets, and as many faults with and without an end; default 60. */
  readonly most?: number;
  /** Says a word in another language; default: as it is. */
  readonly say?: (words: string) => string;
  /** Without times, for drawings of an idea. */
  readonly timeless?: boolean;
}

/** What a packet takes of the height when its time is that of most. */
const FLIGHT_PX = 34;
/** A longer silence takes no more than this. */
const MOST_GAP_PX = 52;
/** Where the first host stands, and the room for names of faults behind the last one. */
const AXIS_PX = 78;
const GUTTER_PX = 182;
const WIDTH_PX = 800;
const LEAST_COLUMN_PX = 120;
const TOP_PX = 74;
/** About what a character of 12 pixels takes of the width. */
const CHARACTER_PX = 6.3;

/** Something at a time, which needs so much room below what came before it. */
interface Event {
  readonly atUs: number;
  readonly roomPx: number;
  readonly place: (y: number) => void;
}

/** Draws a sequence. */
export function drawSequence(sequence: Sequence, options: DrawingOptions): string {
  return new Drawing(sequence, options).document();
}

class Drawing {
  readonly #options: DrawingOptions;
  readonly #say: (words: string) => string;
  readonly #hosts: readonly string[];
  readonly #flights: readonly Flight[];
  readonly #bands: readonly Band[];
  readonly #moments: readonly Moment[];
  readonly #leftOut: Readonly<Record<"packets" | "faults", number>>;
  readonly #endUs: number;
  readonly #fromUs: number;
  readonly #column: number;
  readonly #width: number;
  readonly #shapes: string[] = [];
  /** On top of everything else. */
  readonly #signs: string[] = [];
  #bottom = TOP_PX;

  constructor(sequence: Sequence, options: DrawingOptions) {
    this.#options = options;
    this.#say = options.say ?? ((words) => words);
    const { fromUs = 0, toUs = Number.POSITIVE_INFINITY, most = 60 } = options;
    const inTime = sequence.flights.filter(({ sentUs }) => sentUs >= fromUs && sentUs <= toUs);
    this.#flights = inTime.slice(0, most);
    const ends = this.#flights.map(({ sentUs, arrivedUs = sentUs }) => arrivedUs);
    const lastUs = inTime.length > most ? Math.max(...ends) : Math.min(toUs, sequence.endUs);
    this.#fromUs = Math.max(fromUs, 0);
    this.#endUs = Math.max(lastUs, this.#fromUs);
    const within = (beginsUs: number, endsUs: number): boolean => beginsUs <= this.#endUs && endsUs >= this.#fromUs;
    const bands = sequence.bands.filter(({ beginsUs, endsUs = this.#endUs }) => within(beginsUs, endsUs));
    const moments = sequence.moments.filter(({ atUs }) => within(atUs, atUs));
    this.#bands = inPairs(bands.slice(0, most));
    this.#moments = moments.slice(0, most);
    const faultsLeftOut = Math.max(0, bands.length - most) + Math.max(0, moments.length - most);
    this.#leftOut = { packets: sequence.flights.length - this.#flights.length, faults: faultsLeftOut };
    const named = new Set([
      ...this.#flights.flatMap(({ from, to = from }) => [from, to]),
      ...this.#bands.flatMap(({ hosts }) => hosts),
      ...this.#moments.map(({ host }) => host),
    ]);
    this.#hosts = sequence.hosts.filter((host) => named.has(host));
    const gutter = this.#bands.some(({ hosts }) => hosts.length === 0) ? GUTTER_PX : 0;
    const room = WIDTH_PX - AXIS_PX - gutter;
    this.#column = Math.max(LEAST_COLUMN_PX, Math.floor(room / Math.max(1, this.#hosts.length)));
    this.#width = AXIS_PX + this.#column * this.#hosts.length + gutter;
  }

  document(): string {
    const { title } = this.#options;
    const placed = this.#place();
    const top = [label(16, 24, this.#fitting(title, (this.#width - 32) / 1.25), { bold: true, size: 14 })];
    const lines = this.#hosts.map((host) => stroke(`M${n(this.#x(host))} 66 V${n(this.#bottom)}`, "quiet", 1, "2 4"));
    for (const draw of placed) draw();
    for (const [what, count] of Object.entries(this.#leftOut)) {
      if (count === 0) continue;
      const more = `${count} ${this.#say(`more ${what} are left out`)} (--from, --to, --max)`;
      this.#bottom += 18;
      this.#signs.push(label(16, this.#bottom, more, { tone: "quiet" }));
    }
    const description = `${this.#say("Sequence diagram with the hosts")} ${this.#hosts.join(", ")}`;
    const shapes = [...top, ...this.#hosts.map((host) => this.#head(host)), ...lines, ...this.#shapes, ...this.#signs];
    return svg(this.#width, this.#bottom + 18, { title, description }, shapes);
  }

  #x(host: string): number {
    return AXIS_PX + this.#column * (this.#hosts.indexOf(host) + 0.5);
  }

  #head(host: string): string {
    const width = this.#column - 16;
    const name = this.#fitting(host, (width - 12) / 1.15);
    const look = { anchor: "middle", bold: true, size: 13, ...(name !== host && { title: host }) } as const;
    return box(this.#x(host) - width / 2, 38, width, 28, "quiet", "card") + label(this.#x(host), 57, name, look);
  }

  #fitting(words: string, widthPx: number): string {
    const most = Math.max(1, Math.floor(widthPx / CHARACTER_PX));
    const characters = Array.from(words);
    return characters.length <= most ? words : `${characters.slice(0, most - 1).join("")}…`;
  }

  /** Gives everything its height, in the order of time; the answer draws it. */
  #place(): readonly (() => void)[] {
    const events: Event[] = [];
    const drawn: (() => void)[] = [];
    const at = (atUs: number, roomPx: number, place: (y: number) => void): void =>
      void events.push({ atUs, roomPx, place });
    const clip = (us: number): number => Math.min(this.#endUs, Math.max(this.#fromUs, us));
    for (const band of this.#bands) {
      const ys = { top: 0, bottom: 0 };
      at(clip(band.beginsUs), 12, (y) => (ys.top = y));
      // The name stands at the bottom of an area between two hosts.
      at(clip(band.endsUs ?? this.#endUs), band.hosts.length === 2 ? 40 : 26, (y) => (ys.bottom = y));
      drawn.unshift(() => this.#band(band, ys.top, ys.bottom));
    }
    for (const moment of this.#moments) at(moment.atUs, 18, (y) => drawn.push(() => this.#moment(moment, y)));
    for (const flight of this.#flights) {
      const ys: { sent: number; arrived: number | undefined } = { sent: 0, arrived: undefined };
      if (flight.arrivedUs !== undefined) at(flight.arrivedUs, 4, (y) => (ys.arrived = y));
      // The second arrival begins where the first one did.
      at(flight.sentUs, flight.again === true ? 0 : 20, (y) => (ys.sent = y));
      drawn.push(() => this.#flight(flight, ys.sent, ys.arrived));
    }
    at(this.#endUs, 8, (y) => (this.#bottom = y + 10));
    const times = this.#flights.flatMap(({ sentUs, arrivedUs = sentUs }) =>
      arrivedUs > sentUs ? [arrivedUs - sentUs] : [],
    );
    const scale = FLIGHT_PX / (times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? FLIGHT_PX);
    this.#layOut(
      events.sort((a, b) => a.atUs - b.atUs),
      scale,
    );
    return drawn;
  }

  #layOut(events: readonly Event[], scale: number): void {
    let y = TOP_PX;
    let beforeUs = events[0]?.atUs ?? 0;
    let labelled = { y: 0, time: "" };
    for (const { atUs, roomPx, place } of events) {
      const wanted = (atUs - beforeUs) * scale;
      if (wanted > 2 * MOST_GAP_PX && this.#options.timeless !== true) {
        this.#signs.push(
          label(AXIS_PX - 16, y + MOST_GAP_PX / 2 + 4, "⋮", { anchor: "end", tone: "quiet", bold: true }),
        );
      }
      y += Math.max(roomPx, Math.min(MOST_GAP_PX, wanted));
      const time = `${n(atUs / 1000)} ms`;
      if (y - labelled.y >= 16 && time !== labelled.time && this.#options.timeless !== true) {
        this.#signs.push(label(AXIS_PX - 10, y + 4, time, { anchor: "end", tone: "quiet", size: 11 }));
        labelled = { y, time };
      }
      beforeUs = atUs;
      place(y);
    }
  }

  #flight({ from, to, lost, again, label: parts, tone }: Flight, sentY: number, arrivedY: number | undefined): void {
    const x = this.#x(from);
    const target = to === undefined ? x + this.#column * (x > this.#width / 2 ? -0.5 : 0.5) : this.#x(to);
    const side = target < x ? -1 : 1;
    const whole = from === to ? x + 30 : target;
    const part = arrivedY === undefined ? 0.55 : 1;
    const endX = x + (whole - x) * part;
    const endY = arrivedY ?? sentY + FLIGHT_PX * part;
    this.#shapes.push(arrow(x, sentY, endX, endY, lost === undefined ? tone : "red", again === true ? "5 4" : ""));
    if (lost !== undefined) this.#signs.push(cross(endX, endY));
    if (parts[0]?.startsWith("RST") === true && lost === undefined) this.#signs.push(bolt(endX, endY));
    const words = [
      ...parts,
      ...(again === true ? ["arrives twice"] : []),
      ...(lost === undefined ? [] : [lost === "" ? "lost" : `lost: ${lost}`]),
    ];
    const said = words.map((word) => this.#said(word)).join(", ");
    const shown = this.#fitting(said, Math.max(this.#column, Math.abs(target - x)) - 6);
    const look = { tone: lost === undefined ? tone : "red", title: said } as const;
    if (again === true)
      this.#signs.push(label(endX - side * 8, endY + 13, shown, { ...look, anchor: side > 0 ? "end" : "start" }));
    else this.#signs.push(label(x + side * 8, sentY - 4, shown, { ...look, anchor: side > 0 ? "start" : "end" }));
  }

  /** In the language of the drawing, number and reason apart. */
  #said(words: string): string {
    const [, number, rest] = /^(\d+ )(bytes?)$/.exec(words) ?? [];
    if (number !== undefined) return number + this.#say(rest ?? "");
    return words.startsWith("lost: ") ? `${this.#say("lost")}: ${this.#say(words.slice(6))}` : this.#say(words);
  }

  #band({ name, way, hosts }: Band, top: number, bottom: number): void {
    const height = Math.max(14, bottom - top);
    const [first, second] = hosts.map((host) => this.#x(host));
    if (first === undefined) {
      // `loss a>b chance=0.3`: what it is, and below where and how much.
      const [what = "", ...rest] = name.split(" ");
      const title = [this.#say(what), ...rest].join(" ");
      const lane = this.#width - GUTTER_PX + 10;
      this.#shapes.push(
        box(lane, top, 6, height, "amber", "pale") + stroke(`M${n(lane)} ${n(top)} v${n(height)}`, "amber", 2),
      );
      this.#signs.push(label(lane + 12, top + 12, this.#say(what), { tone: "amber", bold: true }));
      const where = this.#fitting(rest.join(" "), GUTTER_PX - 26);
      this.#signs.push(label(lane + 12, top + 27, where, { tone: "amber", title }));
    } else if (second === undefined) {
      this.#shapes.push(box(first - 7, top, 14, height, "amber", "card"));
      this.#signs.push(label(first + 11, top + height / 2 + 4, this.#say(name), { tone: "amber", bold: true }));
    } else {
      const [left, right] = [Math.min(first, second), Math.max(first, second)];
      this.#shapes.push(box(left, top, right - left, height, "red", "pale"));
      this.#signs.push(
        label((left + right) / 2, bottom - 5, way === undefined ? this.#say(name) : `${this.#say(name)} ${way}`, {
          anchor: "middle",
          tone: "red",
          bold: true,
        }),
      );
    }
  }

  #moment({ host, name }: Moment, y: number): void {
    const x = this.#x(host);
    if (name === "reset") this.#signs.push(bolt(x, y));
    this.#signs.push(label(x + 11, y + 4, this.#say(name), { tone: name === "reset" ? "red" : "amber", bold: true }));
  }
}

/** Text that lines may cross. */
function label(x: number, y: number, content: string, look: TextLook): string {
  return text(x, y, content, { ...look, halo: true });
}

/** Both directions of a way that are cut at a time are one band; one alone says which. */
function inPairs(bands: readonly Band[]): readonly Band[] {
  return bands.flatMap((band) => {
    const [from, to] = band.hosts;
    if (from === undefined || to === undefined) return [band];
    const opposite = bands.findIndex((o) => o.beginsUs === band.beginsUs && o.hosts[0] === to && o.hosts[1] === from);
    if (opposite === -1) return [{ ...band, way: `${from} → ${to}` }];
    return opposite < bands.indexOf(band) ? [] : [band];
  });
}

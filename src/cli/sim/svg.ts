/** A few shapes of SVG as text: static, without scripts and fonts of its own, in the colours that the reader's system asks for. */

/** How a shape looks; the style of the document has the colours of each, light and dark. */
export type Tone = "text" | "quiet" | "blue" | "green" | "red" | "amber" | "violet";

/** Colours with a contrast of at least 4.5 to the background (WCAG 2.2, 1.4.3), which is the first. */
const LIGHT: Readonly<Record<Tone | "paper" | "card", string>> = {
  paper: "#ffffff",
  card: "#f3f5f8",
  text: "#1f2328",
  quiet: "#57606a",
  blue: "#0550ae",
  green: "#116329",
  red: "#b3151d",
  amber: "#7d4e00",
  violet: "#6639ba",
};
const DARK: Readonly<Record<Tone | "paper" | "card", string>> = {
  paper: "#0d1117",
  card: "#1b212a",
  text: "#e6edf3",
  quiet: "#9ea7b3",
  blue: "#79c0ff",
  green: "#7ee787",
  red: "#ff8f87",
  amber: "#e3b341",
  violet: "#d2a8ff",
};
const TONES: readonly Tone[] = ["text", "quiet", "blue", "green", "red", "amber", "violet"];

/** What XML does not allow at all, also not escaped (XML 1.0 section 2.2). */
const NOT_XML = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;
const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
};

/** A text as content or as the value of an attribute: nothing in it is markup. */
export function escaped(words: string): string {
  return words.replaceAll(NOT_XML, "\ufffd").replaceAll(/[&<>"']/g, (character) => ESCAPES[character] ?? "");
}

/** Where a text ends up: its beginning, middle or end is at its x. */
export interface TextLook {
  readonly tone?: Tone;
  readonly anchor?: "start" | "middle" | "end";
  /** In pixels; default 12. */
  readonly size?: number;
  readonly bold?: boolean;
  /** Keeps clear of lines behind its letters. */
  readonly halo?: boolean;
  /** Letters of equal width. */
  readonly mono?: boolean;
  /** Letters of equal width take this much together, whatever the font. */
  readonly widthPx?: number;
  /** Shown when the mouse rests on it. */
  readonly title?: string;
}

/** One line of text; `y` is its base line. It keeps its spaces. */
export function text(x: number, y: number, content: string, look: TextLook = {}): string {
  const { tone = "text", anchor = "start", size = 12, bold = false, mono = false, halo = false, widthPx, title } = look;
  const classes = `${tone}${halo ? " w" : ""}${bold ? " b" : ""}${mono ? " m" : ""}`;
  const hint = title === undefined ? "" : `<title>${escaped(title)}</title>`;
  const wide = widthPx === undefined ? "" : ` textLength="${n(widthPx)}"`;
  const at = `x="${n(x)}" y="${n(y)}" font-size="${n(size)}"${anchor === "start" ? "" : ` text-anchor="${anchor}"`}${wide}`;
  return `<text class="${classes}" ${at} xml:space="preserve">${hint}${escaped(content)}</text>`;
}

/** A stroke along an SVG path; `dashes` as in `stroke-dasharray`. */
export function stroke(path: string, tone: Tone, width = 1.5, dashes = ""): string {
  const dashed = dashes === "" ? "" : ` stroke-dasharray="${dashes}"`;
  return `<path class="s ${tone}" d="${path}" stroke-width="${n(width)}"${dashed}/>`;
}

/** A filled path. */
function filled(path: string, tone: Tone): string {
  return `<path class="${tone}" d="${path}"/>`;
}

/** A rectangle with round corners: a card with a border, or a pale area. */
export function box(x: number, y: number, width: number, height: number, tone: Tone, look: "card" | "pale"): string {
  const place = `x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}"`;
  return `<rect class="${look} ${tone}" ${place} rx="${look === "card" ? 6 : 3}"/>`;
}

/** A straight arrow. */
export function arrow(fromX: number, fromY: number, toX: number, toY: number, tone: Tone, dashes = ""): string {
  const angle = Math.atan2(toY - fromY, toX - fromX);
  const corner = (turn: number): string =>
    `${n(toX - 9 * Math.cos(angle + turn))} ${n(toY - 9 * Math.sin(angle + turn))}`;
  const head = `M${n(toX)} ${n(toY)} L${corner(0.4)} L${corner(-0.4)} Z`;
  return stroke(`M${n(fromX)} ${n(fromY)} L${n(toX)} ${n(toY)}`, tone, 1.5, dashes) + filled(head, tone);
}

/** The sign of what got lost: a cross. */
export function cross(x: number, y: number): string {
  return stroke(`M${n(x - 5)} ${n(y - 5)} l10 10 m0 -10 l-10 10`, "red", 2.5);
}

/** The sign of a reset: a bolt. */
export function bolt(x: number, y: number): string {
  return filled(`M${n(x + 2)} ${n(y - 10)} l-8 11 h5 l-2 9 l8 -12 h-5 Z`, "red");
}

/** The document. `title` and `description` are what it says to who does not see it. */
export function svg(
  width: number,
  height: number,
  words: { readonly title: string; readonly description: string },
  shapes: readonly string[],
): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${n(width)}" height="${n(height)}" viewBox="0 0 ${n(width)} ${n(height)}" role="img" aria-labelledby="t d">`,
    `<title id="t">${escaped(words.title)}</title>`,
    `<desc id="d">${escaped(words.description)}</desc>`,
    `<style>`,
    `text{font-family:system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif;stroke:none}`,
    `.m{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}`,
    `.b{font-weight:bold}.s{fill:none;stroke-linecap:round;stroke-linejoin:round}.pale{fill-opacity:.16}`,
    `.w{paint-order:stroke;stroke-width:3px;stroke-linejoin:round}`,
    colours(LIGHT),
    `@media (prefers-color-scheme:dark){${colours(DARK)}}`,
    `</style>`,
    `<rect class="paper" width="100%" height="100%" rx="6"/>`,
    ...shapes,
    `</svg>`,
    "",
  ].join("\n");
}

function colours(palette: typeof LIGHT): string {
  const tones = TONES.map(
    (tone) =>
      `.${tone}{fill:${palette[tone]}}.s.${tone}{fill:none;stroke:${palette[tone]}}.card.${tone}{stroke:${palette[tone]}}`,
  );
  return `.paper{fill:${palette.paper}}.w{stroke:${palette.paper}}${tones.join("")}rect.card{fill:${palette.card}}`;
}

/** A number with at most one decimal. */
export function n(value: number): string {
  return String(Math.round(value * 10) / 10);
}

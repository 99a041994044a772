/** Colours, where somebody can see them. */

import type { WriteStream } from "node:tty";

/** Each puts a colour around a text, or gives the text back as it is. */
export interface Colours {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly cyan: (text: string) => string;
}

/**
 * The colours for one output. Only a terminal gets any; it is asked what it can show, which respects `NO_COLOR`
 * (no-color.org), `FORCE_COLOR` and `TERM=dumb`.
 */
export function coloursFor(stream: Partial<Pick<WriteStream, "isTTY" | "hasColors">>): Colours {
  const on = stream.isTTY === true && stream.hasColors?.() === true;
  const style = (begin: number, end: number) => (text: string) => (on ? `\u001b[${begin}m${text}\u001b[${end}m` : text);
  return {
    bold: style(1, 22),
    dim: style(2, 22),
    red: style(31, 39),
    green: style(32, 39),
    yellow: style(33, 39),
    cyan: style(36, 39),
  };
}

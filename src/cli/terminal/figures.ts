/** Figures for people, in the language of this run. */

import * as figures from "../../core/text/figures.ts";
import { inLanguage } from "./language.ts";

const LANGUAGE = inLanguage({ en: "en", es: "es" });

/** A number of bytes: `12.3 kB`. */
export function bytesText(bytes: number): string {
  return figures.bytesText(bytes, LANGUAGE);
}

/** A time: `1.5 s`. */
export function timeText(ms: number): string {
  return figures.timeText(ms, LANGUAGE);
}

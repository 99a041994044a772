/** What is known of one arrow: its bytes, and what the faults did to it. Bytes are text here, whatever they say. */

import { html } from "htm/preact";
import type { VNode } from "preact";
import type { DrawRow, PieceRow } from "../../proxy/page/wire.ts";
import { bytesFrom, bytesText, dumpOf, timeText } from "../shell/bytes.ts";
import { inLanguage, language } from "../shell/language.ts";
import type { KeptRow } from "./flow-store.ts";
import type { Target } from "./geometry.ts";
import { kindName } from "./kind-name.ts";

const TEXTS = inLanguage({
  en: {
    none: "Point at an arrow, or go to one with the arrow keys, to see its bytes and what was done to it.",
    kinds: {
      open: "the client has connected",
      chunk: "a chunk",
      datagram: "a datagram",
      end: "the end of a direction (FIN)",
      release: "what was held back passes",
      reset: "the connection was reset",
      close: "the connection is over",
    },
    ways: { toServer: "from the client to the server", toClient: "from the server to the client" },
    faults: "faults that acted",
    delayed: (time: string) => `passed on ${time} later`,
    held: "held back until the silence ends",
    heldFor: (time: string) => `held back by silence for ${time}`,
    lostHeld: "held back by silence, and lost with its connection",
    lost: (why: string) => `lost to ${why}`,
    gone: "not passed on",
    repeated: (times: number, why: string) =>
      `a segment was lost to ${why} and sent again, ${times}×: TCP loses no byte, so it is delay`,
    flipped: (bit: number) => `bit ${bit} was flipped`,
    twice: "passed on twice",
    pieces: (count: number) => `cut into ${count} pieces`,
    outcomes: {
      cut: "then the connection was closed, as a fault asked for",
      "timed out": "then the connection was lost: each repetition was",
    },
    first: (shown: string, all: string) => `the first ${shown} of ${all}`,
    drawn: {
      latency: (ms: string) => `latency: drawn ${ms} ms`,
      slicing: (bytes: string) => `slicing: drawn ${bytes} bytes`,
    },
    happens: {
      loss: ["lost", "not lost"],
      burst: ["the link changes between good and bad", "the link stays as it was"],
      reordering: ["held back, so that others overtake it", "not held back"],
      duplication: ["doubled", "not doubled"],
      corruption: ["a bit flips", "no bit flips"],
      chance: ["it hits this connection", "it spares this connection"],
    },
    chanceOf: (fault: string) => `chance of ${fault}`,
    compared: (name: string, drawn: string, sign: string, below: string, what: string) =>
      `${name}: drawn ${drawn} ${sign} ${below}: ${what}`,
  },
  es: {
    none: "Señala una flecha, o ve a una con las teclas de flecha, para ver sus bytes y lo que se le hizo.",
    kinds: {
      open: "el cliente se ha conectado",
      chunk: "un trozo",
      datagram: "un datagrama",
      end: "el final de un sentido (FIN)",
      release: "pasa lo que estaba retenido",
      reset: "la conexión se cortó con un reset",
      close: "la conexión ha terminado",
    },
    ways: { toServer: "del cliente al servidor", toClient: "del servidor al cliente" },
    faults: "fallos que actuaron",
    delayed: (time) => `pasó ${time} después`,
    held: "retenido hasta que acabe el silencio",
    heldFor: (time) => `retenido por el silencio durante ${time}`,
    lostHeld: "retenido por el silencio y perdido con su conexión",
    lost: (why) => `perdido (${why})`,
    gone: "no pasó",
    repeated: (times, why) =>
      `un segmento se perdió (${why}) y se envió otra vez, ${times}×: TCP no pierde bytes, así que es retraso`,
    flipped: (bit) => `se invirtió el bit ${bit}`,
    twice: "pasó dos veces",
    pieces: (count) => `cortado en ${count} piezas`,
    outcomes: {
      cut: "después se cerró la conexión, como pidió un fallo",
      "timed out": "después se perdió la conexión: cada repetición se perdió",
    },
    first: (shown, all) => `los primeros ${shown} de ${all}`,
    drawn: {
      latency: (ms) => `latencia: salieron ${ms} ms`,
      slicing: (bytes) => `troceo: salieron ${bytes} bytes`,
    },
    happens: {
      loss: ["perdido", "no se pierde"],
      burst: ["el enlace cambia entre bueno y malo", "el enlace sigue como estaba"],
      reordering: ["retenido, para que otros lo adelanten", "no se retiene"],
      duplication: ["duplicado", "no se duplica"],
      corruption: ["se invierte un bit", "no se invierte ningún bit"],
      chance: ["afecta a esta conexión", "no afecta a esta conexión"],
    },
    chanceOf: (fault) => `probabilidad de ${fault}`,
    compared: (name, drawn, sign, below, what) => `${name}: salió ${drawn} ${sign} ${below}: ${what}`,
  },
});

/** The details of an arrow; a hint without one. */
export function Details({ target }: { readonly target: Target | undefined }): VNode {
  const texts = TEXTS();
  if (target === undefined) return html`<div class="details"><p class="quiet-text">${texts.none}</p></div>`;
  const { row } = target;
  const bytes = row.bytes === undefined ? undefined : bytesFrom(row.bytes);
  const size = row.size ?? 0;
  const shown = bytesText(bytes?.length ?? 0, language());
  const all = bytesText(size, language());
  return html`<div class="details" aria-live="polite">
    <p>
      <b>${texts.kinds[row.kind]}</b> ${row.way === undefined ? "" : texts.ways[row.way]}
      ${size > 0 ? html` · ${all}` : ""}
    </p>
    ${factsOf(target).map((fact) => html`<p>${fact}</p>`)}
    ${bytes === undefined ? "" : html`<${Dump} bytes=${bytes} />`}
    ${bytes !== undefined && bytes.length < size ? html`<p class="quiet-text">${texts.first(shown, all)}</p>` : ""}
  </div>`;
}

function nameOf(kind: string): string {
  return kindName(kind, language());
}

/** What was done to it. */
function factsOf({ row, piece }: Target): readonly string[] {
  const texts = TEXTS();
  const { faults = [], pieces = [], morePieces = 0, outcome } = row;
  const facts = faults.length > 0 ? [`${texts.faults}: ${faults.map(nameOf).join(", ")}`] : [];
  if (row.kind === "chunk" && pieces.length > 1) facts.push(texts.pieces(pieces.length + morePieces));
  if (row.kind === "datagram" && pieces.length > 1) facts.push(texts.twice);
  if (row.draws !== undefined) facts.push(...row.draws.map(drawFact));
  if (piece !== undefined) facts.push(...pieceFacts(row, piece));
  if (outcome !== undefined) facts.push(texts.outcomes[outcome]);
  return facts;
}

function pieceFacts(row: KeptRow, { leavesAtMs, losses, lostTo, flippedBit, draws = [] }: PieceRow): readonly string[] {
  const texts = TEXTS();
  const facts = draws.map(drawFact);
  if (row.isHeld === true) facts.push(heldFact(row, leavesAtMs));
  else if (leavesAtMs === undefined)
    facts.push(lostTo === undefined || lostTo === "" ? texts.gone : texts.lost(nameOf(lostTo)));
  else facts.push(texts.delayed(timeText(Math.max(0, leavesAtMs - row.atMs), language())));
  if (losses !== undefined) facts.push(texts.repeated(losses, nameOf(lostTo ?? "")));
  if (flippedBit !== undefined) facts.push(texts.flipped(flippedBit));
  return facts;
}

function heldFact({ atMs, heldUntilMs }: KeptRow, leavesAtMs: number | undefined): string {
  const texts = TEXTS();
  if (heldUntilMs === undefined) return texts.held;
  return leavesAtMs === undefined ? texts.lostHeld : texts.heldFor(timeText(heldUntilMs - atMs, language()));
}

/** What was drawn, and what it means. */
function drawFact({ of, drawn, below, fault }: DrawRow): string {
  const texts = TEXTS();
  const figure = (value: number): string => value.toLocaleString(language(), { maximumSignificantDigits: 4 });
  if (of === "latency" || of === "slicing") return texts.drawn[of](figure(drawn));
  const [what, not] = texts.happens[of];
  const name = fault === undefined ? nameOf(of) : texts.chanceOf(nameOf(fault));
  const isHit = drawn < (below ?? 0);
  return texts.compared(name, figure(drawn), isHit ? "<" : "≥", figure(below ?? 0), (isHit ? what : not) ?? "");
}

/** A narrow window has place for half a line. */
const NARROW = "(width <= 600px)";

function Dump({ bytes }: { readonly bytes: Uint8Array }): VNode {
  const lineBytes = matchMedia(NARROW).matches ? 8 : 16;
  const lines = dumpOf(bytes, lineBytes).map(({ at, hex, text }) => {
    const padded = ` ${hex.padEnd(3 * lineBytes)} `;
    return html`<span class="line"><span class="at">${at}</span>${padded}<span class="text">${text}</span></span>`;
  });
  return html`<pre class="dump">${lines}</pre>`;
}

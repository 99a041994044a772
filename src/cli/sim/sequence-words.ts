/** What a sequence diagram says beside the names of its hosts, in Spanish. */

import type { Fault } from "../../sim.ts";
import { inLanguage } from "../terminal/language.ts";

const FAULTS: Readonly<Record<Fault["kind"], string>> = {
  latency: "retraso",
  loss: "pérdida",
  "burst-loss": "pérdida en ráfagas",
  duplication: "duplicación",
  corruption: "corrupción",
  reordering: "desorden",
  bandwidth: "ancho de banda",
  partition: "partición",
  "partition-one-way": "partición en un sentido",
  reset: "reset",
  isolate: "aislamiento",
  pause: "pausa",
  freeze: "congelación",
  crash: "caída",
  skew: "reloj desviado",
};

/** By the English words. What is missing is a name of TCP or of the program, and the same in both languages. */
export const SPANISH_WORDS: Readonly<Record<string, string>> = {
  ...FAULTS,
  seed: "semilla",
  "faults of a list": "fallos de una lista",
  "Sequence diagram with the hosts": "Diagrama de secuencia con las máquinas",
  "more packets are left out": "paquetes más quedan fuera",
  byte: "byte",
  bytes: "bytes",
  "sent again": "enviado otra vez",
  "arrives twice": "llega dos veces",
  lost: "perdido",
  queue: "cola llena",
  rule: "regla",
  frozen: "máquina congelada",
  "no host": "nadie tiene esa dirección",
  martian: "dirección imposible",
  refused: "rechazado",
  "timed out": "sin respuesta",
  "host unreachable": "máquina inalcanzable",
  "network unreachable": "red inalcanzable",
  zombie: "zombi",
};

/** Says words of a diagram in the language of this run. */
export const sayInDiagram: (words: string) => string = inLanguage({
  en: (words: string) => words,
  es: (words) => SPANISH_WORDS[words] ?? words,
});

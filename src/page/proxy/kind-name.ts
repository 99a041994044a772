/** What the kinds of faults are called on the page. In lists and files they keep the one name that they have there. */

/** The kinds, in the order of the guide. */
export type Kind =
  | "latency"
  | "loss"
  | "burst-loss"
  | "bandwidth"
  | "corruption"
  | "duplication"
  | "reordering"
  | "slicing"
  | "cut"
  | "linger"
  | "timeout"
  | "reset"
  | "partition"
  | "partition-one-way"
  | "isolate";

/** Also of what is drawn: whether a burst begins or ends. */
const SPANISH: Readonly<Record<Kind | "burst", string>> = {
  latency: "latencia",
  loss: "pérdida",
  "burst-loss": "pérdida por rachas",
  burst: "racha",
  bandwidth: "ancho de banda",
  corruption: "corrupción",
  duplication: "duplicación",
  reordering: "desorden",
  slicing: "troceo",
  cut: "corte",
  linger: "final tardío",
  timeout: "pérdida y cierre",
  reset: "reset",
  partition: "silencio",
  "partition-one-way": "silencio en un sentido",
  isolate: "aislamiento",
};

/** The name of a kind. One that the page does not know keeps its own. */
export function kindName(kind: string, language: string): string {
  return language === "es" && Object.hasOwn(SPANISH, kind) ? SPANISH[kind as Kind] : kind;
}

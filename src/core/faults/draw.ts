/** What was drawn, for who wants to see why a fault did something, or did not. */

/** A random number that has decided something about a packet or a connection. */
export interface Draw {
  /** What it decided: the kind of a fault; `burst`, whether a link turns bad or good; `chance`, whether a fault hits the connection. */
  readonly of: "latency" | "slicing" | "loss" | "burst" | "reordering" | "duplication" | "corruption" | "chance";
  /** With `below`, a number from 0 to 1. Otherwise milliseconds of `latency`, and bytes of `slicing`. */
  readonly drawn: number;
  /** It happens when less than this is drawn. */
  readonly below?: number;
  /** The kind of the fault whose `chance` it is. */
  readonly fault?: string;
}

/** 2 to the power of 32: what draws and thresholds of 32 bits are parts of. */
const WHOLE = 0x1_0000_0000;

/** A draw of 32 bits that was compared with a threshold. */
export function chanceDraw(of: Draw["of"], draw: number, threshold: number): Draw & { readonly below: number } {
  return { of, drawn: draw / WHOLE, below: threshold / WHOLE };
}

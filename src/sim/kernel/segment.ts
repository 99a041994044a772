/** A TCP segment (RFC 9293 section 3.1), as the simulated kernels exchange it. */

/** Bytes of a segment without payload: IPv4 and TCP headers, without options. */
export const TCP_HEADER_BYTES: { readonly 4: number; readonly 6: number } = { 4: 40, 6: 60 };

/** A stretch of sequence numbers that arrived out of order, its end excluded (RFC 2018). */
export type SackBlock = readonly [from: number, to: number];

/**
 * One segment. Sequence numbers are whole numbers that do not wrap. Segments are never changed once they are sent, since
 * a link may deliver one twice.
 */
export interface Segment {
  /** Of the first byte, or of the SYN or FIN where there is none. */
  readonly seq: number;
  /** What the sender expects next; undefined without ACK. */
  readonly ack: number | undefined;
  readonly syn: boolean;
  readonly fin: boolean;
  readonly rst: boolean;
  /** Bytes that the sender has room for, from `ack` on. */
  readonly window: number;
  readonly data: Buffer;
  readonly sacks: readonly SackBlock[];
  /** With SYN: the largest payload that the sender takes. */
  readonly mss: number;
}

/** The payload of segments that carry none. */
export const NO_DATA: Buffer = Buffer.alloc(0);

/** No stretches out of order. */
export const NO_SACKS: readonly SackBlock[] = [];

/** A segment with these fields, and nothing else. */
export function segment(fields: Partial<Segment>): Segment {
  const { seq = 0, ack, syn = false, fin = false, rst = false, window = 0 } = fields;
  const { data = NO_DATA, sacks = NO_SACKS, mss = 0 } = fields;
  return { seq, ack, syn, fin, rst, window, data, sacks, mss };
}

/** How many sequence numbers a segment takes. */
export function sequenceLength({ data, syn, fin }: Segment): number {
  return data.length + (syn ? 1 : 0) + (fin ? 1 : 0);
}

/** The answer of a kernel that knows no connection for a segment (RFC 9293 section 3.10.7.1). */
export function resetFor(received: Segment): Segment {
  if (received.ack !== undefined) return segment({ rst: true, seq: received.ack });
  return segment({ rst: true, seq: 0, ack: received.seq + sequenceLength(received) });
}

/** The flags as letters, for traces: `SA`, `F.`, `R`. */
export function flagsOf({ syn, fin, rst, ack }: Segment): string {
  return `${syn ? "S" : ""}${fin ? "F" : ""}${rst ? "R" : ""}${ack === undefined ? "" : "."}`;
}

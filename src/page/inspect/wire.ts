/** What the inspector answers, as far as the page shows it. What is not there is not known, or not of this kind of thing. */

/** One page of a list. */
export type PageOf<Name extends string, Row> = { readonly [N in Name]: readonly Row[] } & { readonly next?: string };

/** A server of any kind, or a listener. */
export interface ServerRow {
  readonly id: number;
  readonly kind: "sessions" | "connections" | "datagrams" | "listener";
  readonly address: string;
  readonly ageMs: number;
  readonly draining?: boolean;
  readonly contract?: string;
  readonly stats: {
    readonly open?: number;
    readonly accepted?: number;
    readonly sessions?: number;
    readonly detached?: number;
    readonly heldBytes: number;
    readonly datagramsReceived?: number;
    readonly listener?: { readonly accepted: number; readonly open: number };
  };
}

/** A connection. */
export interface ConnectionRow {
  readonly id: number;
  readonly local: string;
  readonly remote: string;
  readonly ageMs: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  readonly unreadBytes: number;
  readonly unsentBytes: number;
}

/** A datagram socket. */
export interface DatagramsRow {
  readonly id: number;
  readonly local: string;
  readonly ageMs: number;
  readonly stats: {
    readonly datagramsReceived: number;
    readonly datagramsSent: number;
    readonly datagramsDropped: number;
    readonly heldBytes: number;
  };
}

/** A session. */
export interface SessionRow {
  readonly id: number;
  readonly session: string;
  readonly side: "server" | "client";
  readonly server?: number;
  readonly state: "open" | "detached" | "leaving" | "closed";
  readonly principal?: string;
  readonly local?: string;
  readonly remote?: string;
  readonly ageMs: number;
  readonly epoch?: number;
  readonly sent: number;
  readonly acknowledged: number;
  readonly received: number;
  readonly handled: number;
  readonly pending: number;
  readonly heldBytes: number;
  readonly roundTripMs?: number;
  readonly messagesPerSecond?: number;
}

/** How many sessions have which round trip and hold how much. */
export interface HeatRow {
  readonly roundTripMs: readonly number[];
  readonly heldBytes: readonly number[];
  readonly cells: readonly (readonly number[])[];
  readonly sessions: number;
}

/** A call that is not answered. */
export interface CallRow {
  readonly id: number;
  readonly from: "here" | "peer";
  readonly method?: string;
  readonly ageMs?: number;
  readonly remainingMs?: number;
  readonly waiting?: boolean;
}

/** An open stream. */
export interface StreamRow {
  readonly id: number;
  readonly from: "here" | "peer";
  readonly method?: string;
  readonly blocked: boolean;
  readonly sentBytes: number;
  readonly freeBytes: number;
  readonly waitingBytes: number;
}

/** One session with all that is under way. */
export interface SessionDetail extends SessionRow {
  readonly contract: string;
  readonly peerVersion: string;
  readonly codec: string;
  readonly calls: { readonly own: number; readonly peer: number; readonly list: readonly CallRow[] };
  readonly streams: { readonly own: number; readonly peer: number; readonly list: readonly StreamRow[] };
  readonly credit?: { readonly windowBytes: number; readonly freeBytes: number; readonly waitingBytes: number };
  readonly queues: { readonly waitingMessages: number; readonly waitingRequests: number };
  readonly replay: { readonly messages: number; readonly retainedBytes: number };
  readonly lastErrors: readonly { readonly code: string; readonly op?: string; readonly agoMs?: number }[];
}

/** What was seen in a watched session. */
export type SeenRow = { readonly atMs: number } & (
  | { readonly type: "state"; readonly state: string; readonly before: string }
  | { readonly type: "connection"; readonly remote?: string }
  | {
      readonly type: "began" | "ended";
      readonly what: "call" | "stream";
      readonly id: number;
      readonly from: "here" | "peer";
      readonly method?: string;
    }
  | { readonly type: "sent" | "received" | "acknowledged"; readonly count: number; readonly number: number }
  | { readonly type: "roundTrip"; readonly roundTripMs: number }
);

/**
 * What the inspector answers. Plain JSON, and no import: the page in the browser reads this file too. What is undefined is left out: it is
 * not known, or not of this kind of thing.
 */

/** The lists that are read page by page, and what stands in each. */
export interface ListRows {
  readonly servers: ServerRow;
  readonly sessions: SessionRow;
  readonly connections: ConnectionRow;
  readonly datagrams: DatagramsRow;
}

/** One page of a list, and where the next one begins, if there is one. */
export type PageOf<Name extends keyof ListRows> = { readonly [N in Name]: readonly ListRows[N][] } & {
  readonly next?: string | undefined;
};

/** What a listener has counted: these, and what else its `stats` say. */
export interface ListenerFigures {
  readonly accepted: number;
  readonly open: number;
  readonly heldBytes: number;
}

/** A server of any kind, or a listener. */
export type ServerRow = { readonly id: number; readonly address: string; readonly ageMs: number } & (
  | { readonly kind: "listener"; readonly stats: ListenerFigures }
  | {
      readonly kind: "connections";
      readonly draining: boolean;
      readonly handlers: number;
      readonly stats: ListenerFigures;
    }
  | {
      readonly kind: "datagrams";
      readonly draining: boolean;
      readonly stats: { readonly datagramsReceived: number; readonly heldBytes: number };
    }
  | {
      readonly kind: "sessions";
      readonly draining: boolean;
      readonly contract: string;
      readonly stats: {
        readonly sessions: number;
        readonly detached: number;
        readonly heldBytes: number;
        readonly listener: ListenerFigures;
      };
    }
);

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
  readonly closing: boolean;
  readonly tls?: { readonly protocol: string; readonly cipher: string; readonly alpn?: string | undefined } | undefined;
}

/** A datagram socket. */
export interface DatagramsRow {
  readonly id: number;
  readonly local: string;
  readonly remote?: string | undefined;
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
  readonly server?: number | undefined;
  readonly state: "open" | "detached" | "leaving" | "closed";
  readonly principal?: string | undefined;
  readonly local?: string | undefined;
  readonly remote?: string | undefined;
  readonly ageMs: number;
  readonly epoch?: number | undefined;
  readonly sent: number;
  readonly acknowledged: number;
  readonly received: number;
  readonly handled: number;
  readonly pending: number;
  readonly heldBytes: number;
  readonly roundTripMs?: number | undefined;
  readonly messagesPerSecond?: number | undefined;
}

/** How many sessions have a round trip and memory between two figures. */
export interface HeatRow {
  /** Where the second column, and each one behind it, begins. The last column has those whose round trip is not known. */
  readonly roundTripMs: readonly number[];
  /** Where the second row, and each one behind it, begins. */
  readonly heldBytes: readonly number[];
  /** Row by row: how many sessions each column has. */
  readonly cells: readonly (readonly number[])[];
  readonly sessions: number;
}

/** A call that is not answered. */
export interface CallRow {
  readonly id: number;
  readonly from: "here" | "peer";
  readonly method?: string | undefined;
  readonly ageMs?: number | undefined;
  readonly remainingMs?: number | undefined;
  readonly waiting?: boolean | undefined;
}

/** An open stream. */
export interface StreamRow {
  readonly id: number;
  readonly from: "here" | "peer";
  readonly method?: string | undefined;
  readonly sending: boolean;
  readonly receiving: boolean;
  readonly blocked: boolean;
  readonly sentBytes: number;
  readonly freeBytes: number;
  readonly waitingBytes: number;
}

/** What each side has open, and the first ones of it. */
export interface UnderWay<Row> {
  readonly own: number;
  readonly peer: number;
  readonly list: readonly Row[];
}

/** A message that the peer has not acknowledged. */
export interface MessageRow {
  readonly number: number;
  readonly kind: string | undefined;
  readonly bytes: number;
  /** Its first bytes in hexadecimal digits, if payloads are shown. */
  readonly payload: string | undefined;
}

/** An error that no call could report. */
export interface ErrorRow {
  readonly agoMs: number;
  readonly kind: string;
  readonly local: string | undefined;
  readonly remote: string | undefined;
  readonly code: string;
  readonly op: string | undefined;
  readonly side: string | undefined;
}

/** One session with all that is under way. */
export interface SessionDetail extends SessionRow {
  readonly contract: string;
  readonly peerVersion: string;
  readonly codec: string;
  /** The number of its connection. */
  readonly connection: number | undefined;
  readonly calls: UnderWay<CallRow>;
  readonly streams: UnderWay<StreamRow>;
  readonly credit: { readonly windowBytes: number; readonly freeBytes: number; readonly waitingBytes: number };
  readonly queues: { readonly waitingMessages: number; readonly waitingRequests: number };
  readonly replay: {
    readonly messages: number;
    readonly retainedBytes: number;
    readonly pinnedBytes: number;
    readonly oldest: readonly MessageRow[];
  };
  readonly lastErrors: readonly ErrorRow[];
}

/** A call or a stream, as it is named when it begins and when it ends. */
export type RequestRow = Pick<CallRow, "id" | "from" | "method"> & { readonly what: "call" | "stream" };

/** What was seen in a watched session. */
export type SeenRow = { readonly atMs: number } & Seen;

/** What can be seen. */
export type Seen =
  | { readonly type: "state"; readonly state: SessionRow["state"]; readonly before: SessionRow["state"] }
  | { readonly type: "connection"; readonly remote?: string | undefined }
  | ({ readonly type: "began" | "ended" } & RequestRow)
  | { readonly type: "sent" | "received" | "acknowledged"; readonly count: number; readonly number: number }
  | { readonly type: "roundTrip"; readonly roundTripMs: number };

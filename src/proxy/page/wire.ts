/** What the server of the page tells it. Plain JSON, and no import: the page in the browser reads this file too. */

/** A fault as the page shows it: its kind, and the fields of that kind. */
export interface FaultFields {
  readonly kind: string;
  readonly [field: string]: unknown;
}

/** A fault that acts. */
export interface FaultRow {
  /** Unique while the page is served. */
  readonly id: number;
  readonly fault: FaultFields;
}

/** A proxy and its faults. */
export interface ProxyRow {
  readonly name: string;
  readonly listen: string;
  readonly upstream: string;
  /** Whether it passes datagrams, not bytes of connections. */
  readonly datagrams: boolean;
  readonly enabled: boolean;
  readonly faults: readonly FaultRow[];
}

/** A schedule: the list of faults of the simulator. */
export interface ScheduleRow {
  readonly chaosMs?: number | undefined;
  readonly faults: readonly (FaultFields & {
    readonly atMs: number;
    readonly lastsMs: number;
    readonly proxy?: string | undefined;
  })[];
}

/** A schedule that is played. */
export interface PlayRow {
  readonly beganAtMs: number;
  readonly schedule: ScheduleRow;
}

/** What is recorded: nothing yet, since a time, or until it was stopped. */
export interface RecordingRow {
  readonly state: "none" | "on" | "stopped";
  readonly beganAtMs: number;
  /** Undefined while there is none. */
  readonly schedule: ScheduleRow | undefined;
}

/** What is captured: bytes, and blocks that found no place. */
export interface CapturedRow {
  readonly bytes: number;
  readonly lost: number;
}

/** A connection, or the datagrams of one client. */
export interface ConnectionRow {
  readonly proxy: string;
  readonly number: number;
  readonly client: string;
  readonly openedAtMs: number;
  /** Undefined while it is open. */
  readonly closedAtMs?: number | undefined;
  readonly bytesToServer: number;
  readonly bytesToClient: number;
  readonly state: "open" | "half" | "closed" | "reset";
  /** The name of the server in the TLS hello of the client. */
  readonly serverName?: string | undefined;
}

/** What is there, whenever it has changed. */
export interface StateMessage {
  readonly type: "state";
  readonly seed: number;
  readonly proxies: readonly ProxyRow[];
  readonly plays: readonly PlayRow[];
  readonly recording: RecordingRow;
}

/** What passes, some times a second. Times are milliseconds of one clock. */
export interface PulseMessage {
  readonly type: "pulse";
  readonly nowMs: number;
  /** By proxy: bytes to the server and to the client, since the proxy began. */
  readonly bytes: Readonly<Record<string, readonly [toServer: number, toClient: number]>>;
  /** The newest ones that are open, and the last ones that are over. */
  readonly connections: readonly ConnectionRow[];
  /** How many more are open. */
  readonly more: number;
  readonly captured: CapturedRow;
}

/** A way through a proxy. */
export type Way = "toServer" | "toClient";

/** A number that was drawn; what `Draw` of the proxy says. */
export interface DrawRow {
  readonly of: "latency" | "slicing" | "loss" | "burst" | "reordering" | "duplication" | "corruption" | "chance";
  readonly drawn: number;
  readonly below?: number;
  readonly fault?: string;
}

/** A stretch of a chunk, or a datagram, and what became of it. */
export interface PieceRow {
  readonly bytes: number;
  /** Undefined when it is not passed on. */
  readonly leavesAtMs?: number | undefined;
  /** How often a segment of it was lost and sent again. */
  readonly losses?: number | undefined;
  readonly lostTo?: string | undefined;
  /** The bit that was flipped, counted from the first of the chunk. */
  readonly flippedBit?: number | undefined;
  /** The first ones of what was drawn for it. */
  readonly draws?: readonly DrawRow[] | undefined;
}

/** Something on the selected connection. */
export interface FlowRow {
  /** Counted over all connections. */
  readonly id: number;
  readonly atMs: number;
  readonly kind: "open" | "chunk" | "datagram" | "end" | "release" | "reset" | "close";
  readonly way?: Way | undefined;
  /** Of chunks and datagrams. */
  readonly size?: number | undefined;
  /** The first bytes, in base64. */
  readonly bytes?: string | undefined;
  /** The kinds of the faults that acted. */
  readonly faults?: readonly string[] | undefined;
  readonly pieces?: readonly PieceRow[] | undefined;
  /** Silence holds them back, until a row of the kind `release`. */
  readonly isHeld?: boolean | undefined;
  /** Of the kind `release`: everything that is under way leaves now, also what no silence holds back. */
  readonly isAll?: boolean | undefined;
  /** The first ones of what was drawn for the connection, or for no piece. */
  readonly draws?: readonly DrawRow[] | undefined;
  /** Pieces that are not in `pieces`. */
  readonly morePieces?: number | undefined;
  readonly outcome?: "cut" | "timed out" | undefined;
}

/** What has happened on the selected connection since the message before. */
export interface FlowMessage {
  readonly type: "flow";
  readonly rows: readonly FlowRow[];
  /** Rows that were too many to tell. */
  readonly missed: number;
  /** In the first message: nothing is known of what happened before this time. */
  readonly sinceMs?: number | undefined;
}

/** One message of the stream of events. */
export type PageMessage = StateMessage | PulseMessage | FlowMessage;

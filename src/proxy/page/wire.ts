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

/** A connection, or the datagrams of one client. */
export interface ConnectionRow {
  readonly proxy: string;
  readonly number: number;
  readonly client: string;
  readonly openedAtMs: number;
  readonly bytesToServer: number;
  readonly bytesToClient: number;
}

/** What is there, whenever it has changed. */
export interface StateMessage {
  readonly type: "state";
  readonly seed: number;
  readonly proxies: readonly ProxyRow[];
}

/** What passes, some times a second. Times are milliseconds of one clock. */
export interface PulseMessage {
  readonly type: "pulse";
  readonly nowMs: number;
  /** By proxy: bytes to the server and to the client, since the proxy began. */
  readonly bytes: Readonly<Record<string, readonly [toServer: number, toClient: number]>>;
  /** The newest ones. */
  readonly connections: readonly ConnectionRow[];
  /** How many more there are. */
  readonly more: number;
}

/** One message of the stream of events. */
export type PageMessage = StateMessage | PulseMessage;

/** What every program in bench/protocol.ts can do: the same work, whatever stands beneath. */

/** What a server does with what comes in. */
export interface Handlers {
  event(message: Uint8Array): void;
  /** The answer to a call. */
  call(message: Uint8Array): Uint8Array;
}

/** The client's end of one connection. */
export interface Link {
  /** Sends an event; a promise when its sender has to wait. */
  event(message: Uint8Array): Promise<void> | void;
  call(message: Uint8Array): Promise<Uint8Array>;
}

/** A way of talking. */
export interface Peer {
  /** Serves on a free port of loopback, and answers it. */
  serve(handlers: Handlers): Promise<number>;
  open(port: number): Promise<Link>;
}

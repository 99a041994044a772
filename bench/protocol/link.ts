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

/** A server, on a free port of loopback. */
export interface Serving {
  readonly port: number;
  /** Sends one message to all clients, in the best way that the library has; missing where it has none. */
  broadcast?(message: Buffer): void;
}

/** A way of talking. */
export interface Peer {
  serve(handlers: Handlers): Promise<Serving>;
  /** With `heard` the link takes broadcasts, and is told how long each one is. */
  open(port: number, heard?: (length: number) => void): Promise<Link>;
}

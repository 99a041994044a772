/** One connection in the kernel of a host: the machine, its way to the peer, and the timer of its deadlines. */

import { type Endpoint, isIpv6, type KernelEnvironment, type KernelTimer, Route } from "./packet.ts";
import { type Segment, TCP_HEADER_BYTES } from "./segment.ts";
import type { TcpConnection, TcpEnvironment } from "./tcp-connection.ts";

/** Makes the machine of a socket; `mss` is the largest payload that the way to the peer takes. */
export type MakeConnection = (environment: TcpEnvironment, mss: number) => TcpConnection;

/** A connection with its two ends. */
export class TcpSocket implements TcpEnvironment {
  readonly connection: TcpConnection;
  readonly flow: number;
  readonly #route: Route;
  readonly #environment: KernelEnvironment;
  /** One for all deadlines of the connection. */
  readonly #timer: KernelTimer;
  readonly #forget: (socket: TcpSocket) => void;

  /** `forget` is called when the connection is over for the kernel. */
  constructor(
    environment: KernelEnvironment,
    local: Endpoint,
    remote: Endpoint,
    forget: (socket: TcpSocket) => void,
    make: MakeConnection,
  ) {
    this.#environment = environment;
    this.#forget = forget;
    this.flow = environment.newFlow();
    this.#route = new Route("tcp", local, remote);
    this.#timer = environment.timer(this.flow, () => {
      this.connection.onDeadline();
      this.rearm();
    });
    const headers = isIpv6(remote.ip) ? TCP_HEADER_BYTES[6] : TCP_HEADER_BYTES[4];
    this.connection = make(this, environment.mtuTo(remote.ip) - headers);
    this.rearm();
  }

  get local(): Endpoint {
    return this.#route.from;
  }
  get remote(): Endpoint {
    return this.#route.to;
  }

  /** To be called after every call to `connection`: its deadline may be another one. */
  rearm(): void {
    const { connection } = this;
    if (connection.state !== "CLOSED") this.#timer.set(connection.deadlineUs);
  }

  /** Ends it without a word, as when the power fails. */
  halt(): void {
    this.connection.user = undefined;
    this.#timer.cancel();
  }

  // What the machine needs.

  nowUs(): number {
    return this.#environment.nowUs();
  }

  transmit(segment: Segment): void {
    this.#environment.send({ kind: "tcp", route: this.#route, segment }, this.flow);
  }

  released(): void {
    this.#timer.cancel();
    this.#forget(this);
  }
}

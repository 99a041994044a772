/** A handshake on one connection, of either side. */

import type { ZocaloError } from "../../../core/errors.ts";
import type { StreamSocket } from "../../stream/socket.ts";
import type { InboundConsumer } from "../../stream/inbound.ts";
import type { Clock } from "../../network/network.ts";
import type { Scheduled, SessionSchedule } from "../schedule.ts";

const NO_BYTES: Uint8Array = new Uint8Array(0);

/** What the machines of both sides have in common. */
interface HandshakeMachine {
  receive(bytes: Uint8Array, start: number, end: number): void;
  end(): void;
  nextDeadline(): number;
  onDeadline(now: number): void;
}

/** What the handshakes of one server or client have in common. */
export interface HandshakeTimes {
  readonly clock: Clock;
  readonly schedule: SessionSchedule;
}

/** Hands a machine what comes on a connection, and the time, until its side has what it wants. */
export abstract class SessionHandshake<M extends HandshakeMachine> implements InboundConsumer, Scheduled {
  readonly connection: StreamSocket;
  dueAt: number = Infinity;
  heapIndex = -1;
  protected readonly machine: M;
  /** Nothing is read here any more. */
  protected isOver = false;
  readonly #times: HandshakeTimes;

  constructor(connection: StreamSocket, machine: M, times: HandshakeTimes) {
    this.connection = connection;
    this.machine = machine;
    this.#times = times;
  }

  /** Begins to read. */
  start(): void {
    this.expectDeadline();
    this.connection.inbound.attach(this, "handshake");
  }

  onDue(): void {
    this.machine.onDeadline(this.#times.clock.now());
    this.look();
  }

  onEndOfTurn(): void {}

  received(view: Uint8Array): number {
    this.machine.receive(view, 0, view.length);
    this.look();
    return view.length;
  }

  ended(): void {
    this.machine.end();
    this.look();
  }

  abstract broken(error: ZocaloError): void;

  /** The machine may have something to tell. */
  protected abstract look(): void;

  protected expectDeadline(): void {
    this.#times.schedule.expect(this, this.machine.nextDeadline());
  }

  /** Reads nothing any more. */
  protected finish(): void {
    this.isOver = true;
    this.#times.schedule.forget(this);
    this.connection.inbound.detach(NO_BYTES);
  }
}

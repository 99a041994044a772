/** The handshake of a client on one connection. */

import { ConnectError, ConnectionError, type ZocaloError } from "../core/errors.ts";
import type { ClientHandshake, ClientHandshakeEvent } from "../core/handshake/client-handshake.ts";
import type { Connection } from "./connection.ts";
import type { InboundConsumer } from "./inbound.ts";
import type { Clock } from "./network.ts";
import { restated } from "./restated.ts";
import type { Scheduled, SessionSchedule } from "./session-schedule.ts";

const NO_BYTES: Uint8Array = new Uint8Array(0);
const ignore = (): void => undefined;

/**
 * Introduces a client. `onAnswer` is called once, inside the arrival of the answer: so that no byte behind a welcome comes
 * before the session has the connection. After a welcome nobody reads it any more; after anything else it is being closed.
 */
export class ClientIntroduction implements InboundConsumer, Scheduled {
  dueAt: number = Infinity;
  heapIndex = -1;
  readonly #connection: Connection;
  readonly #machine: ClientHandshake;
  readonly #clock: Clock;
  readonly #schedule: SessionSchedule;
  readonly #onAnswer: (answer: ClientHandshakeEvent) => void;
  #over = false;

  constructor(
    connection: Connection,
    machine: ClientHandshake,
    common: { readonly clock: Clock; readonly schedule: SessionSchedule },
    onAnswer: (answer: ClientHandshakeEvent) => void,
  ) {
    this.#connection = connection;
    this.#machine = machine;
    this.#clock = common.clock;
    this.#schedule = common.schedule;
    this.#onAnswer = onAnswer;
  }

  /** Sends the hello, and waits for the answer. */
  start(): void {
    this.#connection.write(this.#machine.output()).catch(ignore);
    this.#schedule.expect(this, this.#machine.nextDeadline());
    this.#connection.inbound.attach(this, "handshake");
  }

  /** Gives up: nobody wants the answer any more. */
  stop(): void {
    if (this.#over) return;
    this.#finish();
    this.#connection.abort();
  }

  onDue(): void {
    this.#machine.onDeadline(this.#clock.now());
    this.#look();
  }

  onEndOfTurn(): void {}

  received(view: Uint8Array): number {
    this.#machine.receive(view, 0, view.length);
    this.#look();
    return view.length;
  }

  ended(): void {
    this.#machine.end();
    this.#look();
  }

  failed(cause: ZocaloError): void {
    if (this.#over) return;
    this.#finish();
    const { code, detail, side } = cause;
    const context = this.#connection.context("handshake");
    this.#onAnswer({ type: "failed", error: new ConnectionError(code, { ...context, detail, side, cause }) });
  }

  #look(): void {
    if (this.#over) return;
    const answer = this.#machine.nextEvent();
    if (answer === undefined) {
      this.#schedule.expect(this, this.#machine.nextDeadline());
      return;
    }
    this.#finish();
    if (answer.type !== "welcome") this.#connection.close().catch(ignore);
    this.#onAnswer(this.#located(answer));
  }

  /** The machine knows no addresses. */
  #located(answer: ClientHandshakeEvent): ClientHandshakeEvent {
    if (answer.type === "welcome") return answer;
    const context = this.#connection.context("handshake");
    if (answer.type === "failed") return { ...answer, error: restated(answer.error, context, answer.error.outcome) };
    const { code, detail, side, outcome } = answer.error;
    return { ...answer, error: new ConnectError(code, { ...context, detail, side, outcome }) };
  }

  #finish(): void {
    this.#over = true;
    this.#schedule.forget(this);
    this.#connection.inbound.detach(NO_BYTES);
  }
}

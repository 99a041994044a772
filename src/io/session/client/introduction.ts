/** The handshake of a client on one connection. */

import { ConnectError, ConnectionError, type ZocaloError } from "../../../core/errors.ts";
import type { ClientHandshake, ClientHandshakeEvent } from "../../../core/handshake/client-handshake.ts";
import type { StreamSocket } from "../../stream/socket.ts";
import { restated } from "../../operation/restated.ts";
import { type HandshakeTimes, SessionHandshake } from "../endpoint/handshake.ts";

const ignore = (): void => undefined;

/**
 * Introduces a client. `onAnswer` is called once, inside the arrival of the answer: so that no byte behind a welcome comes
 * before the session has the connection. After a welcome nobody reads it any more; after anything else it is being closed.
 */
export class ClientIntroduction extends SessionHandshake<ClientHandshake> {
  readonly #onAnswer: (answer: ClientHandshakeEvent) => void;

  constructor(
    connection: StreamSocket,
    machine: ClientHandshake,
    times: HandshakeTimes,
    onAnswer: (answer: ClientHandshakeEvent) => void,
  ) {
    super(connection, machine, times);
    this.#onAnswer = onAnswer;
  }

  /** Sends the hello, and waits for the answer. */
  override start(): void {
    this.connection.write(this.machine.output()).catch(ignore);
    super.start();
  }

  /** Gives up: nobody wants the answer any more. */
  stop(): void {
    if (this.isOver) return;
    this.finish();
    this.connection.abort();
  }

  override failed(cause: ZocaloError): void {
    if (this.isOver) return;
    this.finish();
    const { code, detail, side } = cause;
    const context = this.connection.context("handshake");
    this.#onAnswer({ type: "failed", error: new ConnectionError(code, { ...context, detail, side, cause }) });
  }

  protected override look(): void {
    if (this.isOver) return;
    const answer = this.machine.nextEvent();
    if (answer === undefined) {
      this.expectDeadline();
      return;
    }
    this.finish();
    if (answer.type !== "welcome") this.connection.close().catch(ignore);
    this.#onAnswer(this.#located(answer));
  }

  /** The machine knows no addresses. */
  #located(answer: ClientHandshakeEvent): ClientHandshakeEvent {
    if (answer.type === "welcome") return answer;
    const context = this.connection.context("handshake");
    if (answer.type === "failed") return { ...answer, error: restated(answer.error, context, answer.error.outcome) };
    const { code, detail, side, outcome } = answer.error;
    return { ...answer, error: new ConnectError(code, { ...context, detail, side, outcome }) };
  }
}

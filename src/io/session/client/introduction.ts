/** The handshake of a client on one connection. */

import { ConnectError, ConnectionError, TimeoutError, type ZocaloError } from "../../../core/errors.ts";
import type { ClientHandshake, ClientHandshakeEvent } from "../../../core/handshake/client-handshake.ts";
import { type CloseReason, encodeClose } from "../../../core/session/wire/close-frame.ts";
import type { StreamSocket } from "../../stream/socket.ts";
import type { Clock } from "../../network/network.ts";
import { Deadline } from "../../operation/deadline.ts";
import { restated } from "../../operation/restated.ts";
import { type HandshakeTimes, SessionHandshake } from "../endpoint/handshake.ts";

const ignore = (): void => undefined;
const NOT_WANTED: CloseReason = { code: "", message: "the client does not want it any more" };

/** What a server answers that takes the client. */
export type Welcomed = Extract<ClientHandshakeEvent, { readonly type: "welcome" }>;

/** Asks the program for its credentials. It may never answer: the handshake has its time, and the client may be closed. */
export async function askProgram(
  auth: () => unknown,
  connection: StreamSocket,
  clock: Clock,
  stop: AbortSignal,
  endsAt: number,
): Promise<unknown> {
  const timeoutMs = Math.max(0, Math.ceil(endsAt - clock.now()));
  let deadline: Deadline | undefined;
  const givenUp = new Promise<never>((_resolve, reject) => {
    deadline = new Deadline(clock, { signal: stop, timeoutMs }, (cause) => {
      const detail = `\`auth\` did not answer within ${timeoutMs} ms`;
      const late = new TimeoutError("TIMEOUT", { ...connection.context("handshake"), detail, outcome: "none" });
      reject(typeof cause === "number" ? late : stop.reason);
    });
  });
  try {
    return await Promise.race([auth(), givenUp]);
  } finally {
    deadline?.cancel();
  }
}

/**
 * Introduces a client, unless `stop` aborts. `onAnswer` is called once, inside the arrival of the answer: so that no byte behind
 * a welcome comes before the session has the connection. After a welcome nobody reads it any more, and what `onAnswer` throws
 * resets it; after anything else it is being closed. Resolves after a welcome; rejects with the error of any other answer.
 */
export function introduce(
  connection: StreamSocket,
  machine: ClientHandshake,
  times: HandshakeTimes,
  stop: AbortSignal,
  onAnswer: (answer: ClientHandshakeEvent) => void,
): Promise<void> {
  if (stop.aborted) {
    // The server has heard nothing: there is no answer to wait for.
    connection.abort();
    return Promise.reject(stop.reason);
  }
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      introduction.leave();
      reject(stop.reason);
    };
    const introduction = new ClientIntroduction(connection, machine, times, (answer) => {
      stop.removeEventListener("abort", onAbort);
      try {
        onAnswer(answer);
        if (answer.type === "welcome") resolve();
        else reject(answer.error);
      } catch (error) {
        // This is an event of the socket: what is thrown here would end the process.
        connection.abort(error);
        reject(error);
      }
    });
    stop.addEventListener("abort", onAbort, { once: true });
    introduction.start();
  });
}

class ClientIntroduction extends SessionHandshake<ClientHandshake> {
  #onAnswer: (answer: ClientHandshakeEvent) => void;

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

  /**
   * Nobody wants the answer any more. The server may have made a session on the hello already, and sent events in it: when its
   * welcome comes within the time of the handshake, that session is closed, and so the server knows what became of them.
   */
  leave(): void {
    this.connection.interop.unref();
    this.#onAnswer = (answer) => {
      const { connection } = this;
      if (answer.type === "welcome" && answer.welcome.received === undefined) closeUnwanted(connection, answer);
      else connection.abort();
    };
  }

  override broken(cause: ZocaloError): void {
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

/** Closes a session that the server has made and nobody wants. */
export function closeUnwanted(connection: StreamSocket, { agreement }: Welcomed): void {
  connection.write(encodeClose(0, NOT_WANTED, agreement.peerLimits)).catch(ignore);
  connection.close().catch(ignore);
}

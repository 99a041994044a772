/** The server's side of the handshake. */

import { cutText, peerError } from "../peer-error.ts";
import { type ProtocolError, TimeoutError, ZocaloError } from "../errors.ts";
import type { Machine } from "../machine.ts";
import { type Hello, MAX_MESSAGE_LENGTH, readHello, type Refusal, type Welcome } from "./hello.ts";
import { encodeHandshake, HELLO, PreambleReader, REFUSAL, WELCOME, WIRE_VERSION } from "./preamble.ts";

/** What the server's side of the handshake tells. */
type ServerHandshakeEvent =
  /** The client has introduced itself: answer with `welcome` or `refuse`. */
  | { readonly type: "hello"; readonly hello: Hello }
  /** There will be no session. Write the output, if any, and close the connection. */
  | { readonly type: "failed"; readonly error: ZocaloError };

/** Options of a handshake. */
export interface HandshakeOptions {
  /** Longest time for the whole handshake, `authenticate` included, in milliseconds. Default 10,000. */
  readonly timeoutMs?: number | undefined;
}

export const DEFAULT_HANDSHAKE_MS = 10_000;
export const MAX_HANDSHAKE_BYTES = 65_536;

/**
 * Where the handshake stands. `reading`: the hello is not there. `deciding`: it is, and waits for an answer. `done`: the
 * answer is given. `failed`: there will be none.
 */
type State = "reading" | "deciding" | "done" | "failed";

/**
 * Reads a hello, and sends a welcome or a refusal. Until then it holds at most 65,536 bytes, and only bytes that came. A
 * client that sends anything before it has its answer has broken the protocol.
 */
export class ServerHandshake implements Machine<ServerHandshakeEvent> {
  readonly #reader: PreambleReader;
  readonly #deadline: number;
  #state: State = "reading";
  #event: ServerHandshakeEvent | undefined;
  #output: readonly Uint8Array[] = [];

  constructor(now: number, options: HandshakeOptions = {}) {
    this.#reader = new PreambleReader(MAX_HANDSHAKE_BYTES);
    this.#deadline = now + (options.timeoutMs ?? DEFAULT_HANDSHAKE_MS);
  }

  /** Bytes of the client that are held. */
  get heldBytes(): number {
    return this.#reader.heldBytes;
  }

  receive(bytes: Uint8Array, start: number, end: number): void {
    if (start === end) return;
    if (this.#state === "deciding") this.#reject(broken("the client sent more before it was answered"));
    if (this.#state !== "reading") return;
    try {
      const frame = this.#reader.read(bytes, start, end);
      if (frame === undefined) return;
      if (frame.wireVersion !== WIRE_VERSION) return this.#refuseWire(frame.wireVersion);
      if (frame.type !== HELLO) throw broken("the first message of a client must be a hello");
      if (this.#reader.takeRest().length > 0) throw broken("the client sent more before it was answered");
      this.#state = "deciding";
      this.#event = { type: "hello", hello: readHello(frame.body) };
    } catch (error) {
      if (!(error instanceof ZocaloError)) throw error;
      this.#reject(error);
    }
  }

  end(): void {
    if (this.#state === "done") return;
    const when = this.#reader.isEmpty ? "without a hello" : "during the handshake";
    this.#fail(broken(`the client ended the connection ${when}`));
  }

  nextEvent(): ServerHandshakeEvent | undefined {
    const event = this.#event;
    this.#event = undefined;
    return event;
  }

  output(): readonly Uint8Array[] {
    const output = this.#output;
    this.#output = [];
    return output;
  }

  nextDeadline(): number {
    return this.#state === "reading" || this.#state === "deciding" ? this.#deadline : Infinity;
  }

  onDeadline(now: number): void {
    if (now < this.nextDeadline()) return;
    const what = this.#state === "reading" ? "the hello of the client did not come" : "the hello was not answered";
    this.#fail(new TimeoutError("TIMEOUT", { op: "handshake", detail: `${what} within timeouts.handshakeMs` }));
  }

  /** Takes the client. Write the output; then the session begins on this connection. */
  welcome(welcome: Welcome): void {
    if (this.#answered()) this.#output = [encodeHandshake(WELCOME, welcome)];
  }

  /** Does not take the client. Write the output, then close gracefully. */
  refuse(refusal: Refusal): void {
    if (!this.#answered()) return;
    // The sentence may be one of the program, of any length.
    const message = cutText(refusal.message, MAX_MESSAGE_LENGTH);
    this.#output = [encodeHandshake(REFUSAL, { ...refusal, message } satisfies Refusal)];
  }

  /** Whether an answer may be given: not when the client has gone meanwhile. */
  #answered(): boolean {
    if (this.#state !== "deciding") return false;
    this.#state = "done";
    return true;
  }

  #refuseWire(wireVersion: number): void {
    const message = `the server speaks version ${WIRE_VERSION} of the wire form, the client ${wireVersion}`;
    this.#output = [encodeHandshake(REFUSAL, { code: "VERSION_UNSUPPORTED", message } satisfies Refusal)];
    this.#fail(peerError("VERSION_UNSUPPORTED", { op: "handshake", detail: message }));
  }

  /** A client that speaks the protocol, but not as it must, is told so: it would come again if it heard nothing. */
  #reject(error: ZocaloError): void {
    const { code, detail } = error;
    if (code === "HANDSHAKE_INVALID") {
      const message = cutText(detail, MAX_MESSAGE_LENGTH);
      this.#output = [encodeHandshake(REFUSAL, { code, message } satisfies Refusal)];
    }
    this.#fail(error);
  }

  #fail(error: ZocaloError): void {
    if (this.#state === "failed") return;
    this.#state = "failed";
    this.#event = { type: "failed", error };
  }
}

function broken(detail: string): ProtocolError {
  return peerError("HANDSHAKE_INVALID", { op: "handshake", detail });
}

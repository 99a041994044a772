/** The client's side of the handshake. */

import {
  ConnectError,
  ConnectionError,
  type ErrorCode,
  ProtocolError,
  TimeoutError,
  UsageError,
  ZocaloError,
} from "../errors.ts";
import type { Machine } from "../machine.ts";
import { methodNames } from "../contract/contract.ts";
import { type Hello, readRefusal, readWelcome, type ResumeRequest, type Welcome } from "./hello.ts";
import { type Agreement, agreeWithServer, type Capabilities, sameAgreement } from "./negotiate.ts";
import {
  encodeHandshake,
  type HandshakeFrame,
  HELLO,
  PreambleReader,
  REFUSAL,
  WELCOME,
  WIRE_VERSION,
} from "./preamble.ts";
import { MAX_HANDSHAKE_BYTES, DEFAULT_HANDSHAKE_MS, type HandshakeOptions } from "./server-handshake.ts";

/** The codes with which a server refuses a client. */
const REFUSALS: ReadonlySet<string> = new Set<ErrorCode>([
  "CONTRACT_UNKNOWN",
  "VERSION_UNSUPPORTED",
  "CODEC_UNSUPPORTED",
  "UNAUTHENTICATED",
  "SERVER_BUSY",
  "SESSION_TAKEN_OVER",
  "HANDSHAKE_INVALID",
]);

/** What the client's side of the handshake tells. */
export type ClientHandshakeEvent =
  /** The server takes the client. `rest` is what it sent behind the welcome: the first bytes of the session. */
  | {
      readonly type: "welcome";
      readonly welcome: Welcome;
      readonly agreement: Agreement;
      readonly rest: Uint8Array;
    }
  /** The server does not take the client; `retryAfterMs` is set when it is of use to try again. */
  | { readonly type: "refused"; readonly error: ConnectError; readonly retryAfterMs: number | undefined }
  /** There is no session, and it is not known whether the server has made one. Close the connection. */
  | { readonly type: "failed"; readonly error: ZocaloError };

/** Options of the client's side. */
export interface ClientHandshakeOptions extends HandshakeOptions {
  /** Whatever the server's `authenticate` wants to see; must be what `json()` can carry. */
  readonly auth?: unknown;
  /** The session to continue. */
  readonly resume?: ResumeRequest | undefined;
  /** What was agreed on when that session began; the server must not change it. */
  readonly resumeUnder?: Agreement | undefined;
}

/** Sends a hello, and reads a welcome or a refusal. */
export class ClientHandshake implements Machine<ClientHandshakeEvent> {
  readonly #reader: PreambleReader;
  readonly #own: Capabilities;
  readonly #resume: ResumeRequest | undefined;
  readonly #resumeUnder: Agreement | undefined;
  readonly #timeoutMs: number;
  readonly #deadline: number;
  #waiting = true;
  #event: ClientHandshakeEvent | undefined;
  #output: readonly Uint8Array[];

  constructor(own: Capabilities, now: number, options: ClientHandshakeOptions = {}) {
    this.#own = own;
    this.#resume = options.resume;
    this.#resumeUnder = options.resumeUnder;
    this.#reader = new PreambleReader(MAX_HANDSHAKE_BYTES);
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_HANDSHAKE_MS;
    this.#deadline = now + this.#timeoutMs;
    const { name, version, accepts, client } = own.contract;
    const hello: Hello = {
      contract: name,
      version,
      accepts,
      offers: methodNames(client),
      codecs: own.codecs,
      features: own.features,
      limits: own.limits,
      auth: options.auth,
      resume: options.resume,
    };
    this.#output = [encodeHello(hello)];
  }

  receive(bytes: Uint8Array, start: number, end: number): void {
    if (!this.#waiting) return;
    try {
      const frame = this.#reader.read(bytes, start, end);
      if (frame !== undefined) this.#answered(frame);
    } catch (error) {
      if (!(error instanceof ZocaloError)) throw error;
      this.#fail(error);
    }
  }

  end(): void {
    const when = this.#reader.isEmpty ? "without an answer; check that it speaks zocalo" : "during the handshake";
    const detail = `the server ended the connection ${when}`;
    // Not a broken rule: so does a proxy whose servers start again, or a server without a descriptor for one more.
    this.#fail(new ConnectionError("END_OF_STREAM", { op: "handshake", detail }));
  }

  nextEvent(): ClientHandshakeEvent | undefined {
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
    return this.#waiting ? this.#deadline : Infinity;
  }

  onDeadline(now: number): void {
    if (now < this.nextDeadline()) return;
    const detail = `the server did not answer the handshake within ${this.#timeoutMs} ms; check that it speaks zocalo`;
    this.#fail(new TimeoutError("TIMEOUT", { op: "handshake", detail }));
  }

  #answered(frame: HandshakeFrame): void {
    if (frame.type === REFUSAL) this.#refused(frame.body);
    else if (frame.wireVersion !== WIRE_VERSION) throw unsupported(`the server speaks wire form ${frame.wireVersion}`);
    else if (frame.type === WELCOME) this.#welcomed(readWelcome(frame.body));
    else if (frame.type === HELLO) throw mismatch();
    else throw broken("the first message of a server must be a welcome or a refusal");
    this.#waiting = false;
  }

  #welcomed(welcome: Welcome): void {
    const answer = agreeWithServer(this.#own, welcome);
    if ("problem" in answer) throw new ProtocolError(answer.code, { op: "handshake", detail: answer.problem });
    const resume = this.#resume;
    if (welcome.received !== undefined) {
      if (resume === undefined || welcome.session !== resume.session)
        throw broken("the server resumes a session that the client did not ask for");
      // Rule D5 (docs/semantics.md): a counter outside of what was acknowledged and what was sent.
      if (welcome.received < resume.acknowledged || welcome.received > resume.sent) {
        throw broken("the server counts messages that were not sent, or forgot some that it had acknowledged");
      }
      if (this.#resumeUnder !== undefined && !sameAgreement(this.#resumeUnder, answer.agreement))
        throw broken("the server continues the session with another version, codec, feature or limit than it had");
    } else if (resume !== undefined && welcome.fresh === undefined) {
      throw broken("the server neither resumes nor says why not");
    }
    this.#event = { type: "welcome", welcome, agreement: answer.agreement, rest: this.#reader.takeRest() };
  }

  #refused(body: unknown): void {
    const { code, message, retryAfterMs } = readRefusal(body);
    // Any other code would be an error of this program, or of its network, that a server has made up.
    const known = REFUSALS.has(code) ? (code as ErrorCode) : "HANDSHAKE_INVALID";
    const error = new ConnectError(known, { op: "handshake", detail: message, outcome: "none" });
    this.#event = { type: "refused", error, retryAfterMs };
  }

  #fail(error: ZocaloError): void {
    if (!this.#waiting) return;
    this.#waiting = false;
    this.#event = { type: "failed", error };
  }
}

/** @throws UsageError `OPTION_INVALID` for what JSON cannot carry, or has no room in the hello: only `auth` can be so. */
function encodeHello(hello: Hello): Buffer {
  let bytes: Buffer;
  try {
    bytes = encodeHandshake(HELLO, hello);
  } catch (cause) {
    const detail = `auth must be what JSON can carry${cause instanceof ZocaloError ? `: ${cause.detail}` : ""}`;
    throw new UsageError("OPTION_INVALID", { op: "handshake", detail, cause });
  }
  if (bytes.length <= MAX_HANDSHAKE_BYTES) return bytes;
  const detail = `the hello would have ${bytes.length} bytes, and a server takes ${MAX_HANDSHAKE_BYTES}; make auth shorter`;
  throw new UsageError("OPTION_INVALID", { op: "handshake", detail });
}

function mismatch(): ProtocolError {
  const detail =
    "the peer sent the hello of a client: it is a client, or an echo server; check the address and the port";
  return new ProtocolError("PROTOCOL_MISMATCH", { op: "handshake", detail });
}

function broken(detail: string): ProtocolError {
  return new ProtocolError("HANDSHAKE_INVALID", { op: "handshake", detail });
}

function unsupported(detail: string): ProtocolError {
  return new ProtocolError("VERSION_UNSUPPORTED", { op: "handshake", detail });
}

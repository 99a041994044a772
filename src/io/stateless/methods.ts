/** What of a contract can go over datagrams, for the compiler and for programs without types. */

import type { Address } from "../../core/address/address.ts";
import type { Contract } from "../../core/contract/contract.ts";
import type {
  CallMethod,
  EventMethod,
  RequestInput,
  ResponseOutput,
  SchemaOrNone,
} from "../../core/contract/method.ts";
import { UsageError } from "../../core/errors.ts";
import type { OperationOptions } from "../operation/deadline.ts";
import type { MethodArguments } from "../contract/methods.ts";

/** A method that can go over datagrams: an event, or a call that may be done twice. */
export type StatelessMethod = EventMethod | CallMethod<SchemaOrNone, SchemaOrNone, true>;

/** Methods that can go over datagrams, by name. */
export type StatelessMethods = Readonly<Record<string, StatelessMethod>>;

/**
 * A contract that can be kept over datagrams: the server offers events and idempotent calls, and the client offers nothing,
 * since without a session nobody could call it. Anything else does not compile.
 *
 * @example
 * ```ts
 * import { call, contract, event, type StatelessContract, typeOnly } from "zocalo/protocol";
 * const telemetry = contract("telemetry", "1.0.0", {
 *   server: {
 *     measured: event<{ celsius: number }>(),
 *     limits: call(undefined, typeOnly<{ celsius: number }>(), { idempotent: true }),
 *   },
 * }) satisfies StatelessContract;
 * console.log(telemetry.name); // telemetry
 * ```
 */
export type StatelessContract<Server extends StatelessMethods = StatelessMethods> = Contract<
  Server,
  Readonly<Record<string, never>>
>;

/** What a handler is told beside the message. There is no session: the next message may come from anybody. */
export interface StatelessContext {
  /** Who sent the datagram, as the packet says. It can be forged. */
  readonly from: Address;
  /** The server's address. */
  readonly localAddress: Address;
  /** Aborts when the server begins to drain. */
  readonly draining: AbortSignal;
  /** Aborts when the server is closed: no answer is sent any more. */
  readonly signal: AbortSignal;
  /**
   * When the caller stops waiting, on the clock of the network (`performance.now()` on the kernel's); Infinity for never, and
   * for events.
   */
  readonly deadline: number;
  /** Milliseconds until `deadline`; Infinity for never. */
  readonly remainingMs: number;
}

/** A method of the server, as a function on the client. */
export type StatelessRemoteMethod<M> = M extends { readonly kind: "call" }
  ? (...args: MethodArguments<RequestInput<M>, OperationOptions>) => Promise<ResponseOutput<M>>
  : (...args: MethodArguments<RequestInput<M>, OperationOptions>) => Promise<void>;

/**
 * The methods of the server, as functions on the client.
 *
 * - A call is sent again, with pauses that grow, until it is answered or its time is up. It rejects with a `RemoteError` when
 *   the handler threw one; with `TIMEOUT` after `timeoutMs`, where `outcome` is `unknown` when it may have been handled; with
 *   the reason of `signal`; with `CONTRACT_UNKNOWN`, `VERSION_UNSUPPORTED` or `CODEC_UNSUPPORTED` when the server says that it
 *   speaks something else; with `DATAGRAM_TOO_LARGE`, `FRAME_INVALID`, `QUEUE_FULL` or `CLOSED`.
 * - An event is sent once, and resolves when the kernel has it: whether it arrives, once, twice or at all, nobody is told.
 *
 * A rejection that nobody looks at is not an unhandled rejection.
 */
export type StatelessRemoteMethods<Server extends StatelessMethods> = {
  readonly [K in keyof Server]: StatelessRemoteMethod<Server[K]>;
};

/** Refuses what a datagram cannot promise. @throws UsageError `UNSUPPORTED`. */
export function checkStateless(op: string, contract: Contract): void {
  const [offered] = Object.keys(contract.client);
  if (offered !== undefined) {
    throw unsupported(op, `the client offers "${offered}", and without a session the server cannot call it`);
  }
  for (const [name, method] of Object.entries(contract.server)) {
    if (method.kind === "stream") throw unsupported(op, `"${name}" is a stream`);
    if (method.kind === "call" && !method.idempotent) {
      throw unsupported(op, `"${name}" is not idempotent, and a request may arrive more than once`);
    }
  }
}

function unsupported(op: string, problem: string): UsageError {
  const detail = `${problem}; over datagrams go events and calls with { idempotent: true }, for the others use a session`;
  return new UsageError("UNSUPPORTED", { op, detail });
}

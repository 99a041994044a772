/** What a handler of one datagram has of its server. */

import type { Address } from "../../core/address/address.ts";
import { OwnSignal } from "../operation/own-signal.ts";
import type * as api from "./server.ts";

/** What all requests of one server share. */
interface Shared {
  readonly localAddress: Address;
  /** Aborts when the server begins to close. */
  readonly leaving: AbortSignal;
  /** Aborts when it is closed. */
  readonly closed: AbortSignal;
}

/** The context of one request. Its signals are made for those who look at them. */
export class DatagramContext implements api.DatagramContext {
  readonly #shared: Shared;
  #draining: OwnSignal | undefined;
  #closed: OwnSignal | undefined;

  constructor(shared: Shared) {
    this.#shared = shared;
  }

  get localAddress(): Address {
    return this.#shared.localAddress;
  }
  get draining(): AbortSignal {
    return (this.#draining ??= new OwnSignal(this.#shared.leaving)).signal;
  }
  get signal(): AbortSignal {
    return (this.#closed ??= new OwnSignal(this.#shared.closed)).signal;
  }

  /** The handler is done. */
  release(): void {
    this.#draining?.release();
    this.#closed?.release();
  }
}

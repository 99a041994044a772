/** One request of a datagram server, and the rules for its replies. */

import type { Address } from "../../core/address/address.ts";
import { UsageError } from "../../core/errors.ts";
import type { DatagramRequest } from "./server.ts";
import type { DatagramInput, DatagramSocket } from "./public.ts";
import type { Datagram } from "../network/datagrams.ts";
import type { ReplyBudget } from "./reply-guard.ts";
import { lengthOf } from "./outgoing.ts";
import { MAX_IPV4_PAYLOAD_BYTES, MAX_IPV6_PAYLOAD_BYTES } from "./settings.ts";

/** What a request needs of its owner, the server. */
export interface RequestOwner {
  readonly localAddress: Address;
  readonly socket: DatagramSocket;
  readonly settings: { readonly replies: "free" | "guarded"; readonly maxDatagramBytes: number };
  /** Of a guarded service. */
  readonly budget: ReplyBudget | undefined;
  /** Tells of an error, once. */
  report(error: unknown, request: DatagramRequest): void;
}

/** A request that knows where its reply goes. */
export class Request implements DatagramRequest {
  readonly data: Buffer;
  readonly from: Address;
  readonly #owner: RequestOwner;
  #replies = 0;

  constructor(owner: RequestOwner, datagram: Datagram) {
    this.data = datagram.data;
    this.from = datagram.from;
    this.#owner = owner;
  }

  get maxReplyBytes(): number {
    const { replies, maxDatagramBytes } = this.#owner.settings;
    const most = Math.min(maxDatagramBytes, this.from.family === 4 ? MAX_IPV4_PAYLOAD_BYTES : MAX_IPV6_PAYLOAD_BYTES);
    return replies === "guarded" ? Math.min(this.data.length, most) : most;
  }

  reply(data: DatagramInput): Promise<void> {
    const sent = this.#reply(data);
    // A handler need not await it.
    sent.catch((error: unknown) => this.#owner.report(error, this));
    return sent;
  }

  async #reply(data: DatagramInput): Promise<void> {
    const { settings, budget, socket, localAddress } = this.#owner;
    if (settings.replies === "guarded") {
      const names = { op: "reply", local: localAddress.toString(), remote: this.from.toString() };
      if (this.#replies > 0) {
        const detail = "a guarded service answers each request at most once";
        throw new UsageError("OPTION_INVALID", { ...names, detail, outcome: "none" });
      }
      if (lengthOf(data) > this.maxReplyBytes) {
        const detail = `a guarded service may answer a request of ${this.data.length} bytes with at most so many bytes`;
        throw new UsageError("DATAGRAM_TOO_LARGE", { ...names, detail, outcome: "none" });
      }
      this.#replies += 1;
      budget?.spent(this.from);
    }
    await socket.send(data, this.from);
  }
}

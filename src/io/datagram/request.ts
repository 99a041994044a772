/**
 * The requests of a datagram server, and what keeps its replies from being used against others. The sender of a datagram can be
 * forged, so a reply may go to a victim: a long reply to a short request multiplies an attacker's traffic, and two services that
 * answer each other never stop.
 */

import type { Address } from "../../core/address/address.ts";
import type { Clock } from "../network/network.ts";
import { UsageError } from "../../core/errors.ts";
import type { DatagramRequest, RequestSettings } from "./server.ts";
import type { DatagramInput, DatagramSocket } from "./public.ts";
import type { Datagram } from "../network/datagrams.ts";
import { lengthOf } from "./destinations.ts";
import { MAX_IPV4_PAYLOAD_BYTES, MAX_IPV6_PAYLOAD_BYTES } from "./settings.ts";

/** Ports below belong to services (RFC 6335 section 6); programs that ask use higher ones. */
const FIRST_USER_PORT = 1024;

/**
 * Whether a datagram can be a question. One from a service's port is an answer or an error; so is one from the own port
 * number, which another instance of the same service uses. Groups and broadcast addresses never send (RFC 1122 section
 * 3.2.1.3).
 */
export function canBeRequest(from: Address, local: Address): boolean {
  if (from.port < FIRST_USER_PORT || from.port === local.port) return false;
  return !from.isMulticast && !from.isBroadcast && !from.isUnspecified;
}

/** A source that has used up its budget is not answered for so long. A conversation of two services ends in it. */
const SILENCE_MS = 1000;
/** Who was not answered for so long begins anew. */
const FORGOTTEN_MS = 60_000;
/** Sources whose budgets are known; the oldest is forgotten before. */
const MAX_SOURCES = 10_000;

interface Budget {
  left: number;
  repliedAt: number;
  silentUntil: number;
}

/**
 * How many replies each source may still have. Where two services answer each other, each reply is a request of the other, and
 * nobody ever stops, fast or slow; so that each stops now and then for a moment.
 */
export class ReplyBudget {
  readonly #clock: Clock;
  readonly #replies: number;
  readonly #budgets = new Map<string, Budget>();

  /** @param replies - To one source, until it has to pause. */
  constructor(clock: Clock, replies: number) {
    this.#clock = clock;
    this.#replies = replies;
  }

  /** Whether a source may have another reply now. */
  allows(source: Address): boolean {
    const budget = this.#budgets.get(source.hostPort);
    if (budget === undefined) return true;
    const now = this.#clock.now();
    if (budget.left > 0 && now >= budget.silentUntil) return true;
    if (budget.left === 0) {
      budget.left = this.#replies;
      budget.silentUntil = now + SILENCE_MS;
    }
    return false;
  }

  /** A source has had a reply. */
  spent(source: Address): void {
    const now = this.#clock.now();
    const key = source.hostPort;
    let budget = this.#budgets.get(key);
    if (budget === undefined) {
      const [oldest] = this.#budgets.size < MAX_SOURCES ? [] : this.#budgets.keys();
      if (oldest !== undefined) this.#budgets.delete(oldest);
      budget = { left: this.#replies, repliedAt: now, silentUntil: 0 };
      this.#budgets.set(key, budget);
    }
    if (now >= budget.repliedAt + FORGOTTEN_MS) budget.left = this.#replies;
    budget.repliedAt = now;
    // Several requests of one source may have been under way.
    budget.left = Math.max(0, budget.left - 1);
  }
}

/** What a request needs of its owner, the server. */
export interface RequestOwner {
  readonly localAddress: Address;
  readonly socket: DatagramSocket;
  readonly settings: Pick<RequestSettings, "replies" | "maxDatagramBytes" | "maxAmplification">;
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
    const { replies, maxDatagramBytes, maxAmplification } = this.#owner.settings;
    const most = Math.min(maxDatagramBytes, this.from.family === 4 ? MAX_IPV4_PAYLOAD_BYTES : MAX_IPV6_PAYLOAD_BYTES);
    return replies === "guarded" ? Math.min(Math.floor(this.data.length * maxAmplification), most) : most;
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
        const most = `at most ${this.maxReplyBytes} (limits.maxAmplification, ${settings.maxAmplification})`;
        const detail = `a guarded service may answer a request of ${this.data.length} bytes with ${most}; say that there is more, or ask for longer requests`;
        throw new UsageError("DATAGRAM_TOO_LARGE", { ...names, detail, outcome: "none" });
      }
      this.#replies += 1;
      budget?.spent(this.from);
    }
    await socket.send(data, this.from);
  }
}

/** The servers of one client, by their addresses: which one is tried next, and what became of each. */

import type { Address, AddressLike } from "../../../core/address/address.ts";
import { type ConnectAttempt, ConnectError, UsageError, type ZocaloError } from "../../../core/errors.ts";
import { checkSessionAddress } from "../../contract/handlers.ts";
import type { Random } from "../../network/network.ts";
import { connectionAddress } from "../../stream/connect.ts";

/** Where the servers of one client are: one address, or a list of them. */
export type ServerAddressesLike = AddressLike | readonly AddressLike[];

/** Most addresses of one client: more are a mistake. */
const MAX_ADDRESSES = 64;

/** The addresses of a client. @throws UsageError `ADDRESS_INVALID`, `OPTION_INVALID`. */
export function serverAddresses(op: string, given: ServerAddressesLike): readonly Address[] {
  if (!Array.isArray(given)) return [addressOf(op, given as AddressLike)];
  if (given.length === 0 || given.length > MAX_ADDRESSES) {
    const detail = `a list of servers must have 1 to ${MAX_ADDRESSES} addresses, not ${given.length}`;
    throw new UsageError("OPTION_INVALID", { op, detail });
  }
  const all = Array.from(given as readonly AddressLike[], (one) => addressOf(op, one));
  const { transport } = all[0] as Address;
  const odd = all.find((one) => one.transport !== transport);
  if (odd === undefined) return all;
  const detail = `all servers of one client must have the same transport, since tls and tcp hold for all; the first one has ${transport}:`;
  throw new UsageError("ADDRESS_INVALID", { op, remote: odd.toString(), detail });
}

function addressOf(op: string, given: AddressLike): Address {
  checkSessionAddress(op, given, "connectStateless");
  return connectionAddress(given);
}

/**
 * The order in which the servers are tried: in rounds. In a round each one is tried once, in an order that is drawn for it, so
 * that clients which lose one server are spread evenly over the others. The server that has the session comes first, since
 * perhaps no other one can continue it; one that has said that it leaves comes last.
 */
export class ServerRounds {
  readonly #all: readonly Address[];
  /** Those that were not tried in this round. */
  #rest: Address[] = [];
  /** The one that took the client last. */
  #current: Address | undefined;
  #leaves = false;
  /** What failed in this round. */
  #failed: ConnectAttempt[] = [];
  #startedAt = 0;
  /** Rounds before this one since the last connection. */
  before = -1;

  constructor(all: readonly Address[]) {
    this.#all = all;
  }

  /** Whether there is only one server. */
  get isOne(): boolean {
    return this.#all.length === 1;
  }

  /** Whether this round is not over. */
  get goesOn(): boolean {
    return this.#rest.length > 0;
  }

  /** The first address, for errors in which none was tried. */
  get first(): Address {
    return this.#all[0] as Address;
  }

  /** Begins a round. `stays`: there is a session to continue. */
  begin(random: Random, stays: boolean, now: number): void {
    const order = shuffled(this.#all, random);
    const current = this.#current;
    if (current !== undefined && (this.#leaves || stays)) {
      order.splice(order.indexOf(current), 1);
      if (this.#leaves) order.push(current);
      else order.unshift(current);
    }
    this.#rest = order;
    this.#failed = [];
    this.#startedAt = now;
    this.before += 1;
  }

  /** The next server of this round. */
  next(): Address {
    return this.#rest.shift() as Address;
  }

  /** A server has failed. */
  failed(address: Address, startedAt: number, error: ZocaloError): void {
    this.#failed.push({ address: address.toString(), startedAfterMs: startedAt - this.#startedAt, error });
  }

  /** The error of a round that ends with this one: that of the one server, or one that names all. */
  summary(error: ZocaloError): ZocaloError {
    if (this.isOne) return error;
    const tried = this.#failed.map(({ address: one, error: why }) => `${one} (${why.code})`).join(", ");
    const { code, side } = error;
    const detail = `no server has taken the client; tried ${tried}`;
    return new ConnectError(code, {
      op: "connect",
      detail,
      side,
      outcome: "none",
      cause: error,
      attempts: this.#failed,
    });
  }

  /** A server has taken the client. Answers whether it is another one than before. */
  arrived(address: Address): boolean {
    const isOther = this.#current !== undefined && this.#current !== address;
    this.#current = address;
    this.#leaves = false;
    this.#rest = [];
    this.before = -1;
    return isOther;
  }

  /** The server of now has said that it leaves. */
  leaves(): void {
    this.#leaves = true;
  }
}

/** The same in an order that is drawn (Fisher and Yates). */
function shuffled<T>(given: readonly T[], random: Random): T[] {
  const all = [...given];
  for (let last = all.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random.next() * (last + 1));
    [all[last], all[other]] = [all[other] as T, all[last] as T];
  }
  return all;
}

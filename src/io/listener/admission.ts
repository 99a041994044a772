/** Who may come in: the lists and the limits of a listener (docs/semantics.md, rules A6 and A7). */

import type { Address } from "../../core/address/address.ts";
import { AddressList, limitKey } from "../../core/address/cidr.ts";
import type { ListenOptions, ListenerStats, RefusalReason } from "./public.ts";

const DEFAULT_MAX_CONNECTIONS = 10_000;
const OF_LISTEN = { op: "listen" };

/** In `proxyProtocol.from`: whoever may use the file of a Unix socket. */
export const UNIX_PEERS = "unix";

/** Counts the connections of one listener and decides about new ones. */
export class Admission {
  accepted = 0;
  readonly refused: Record<RefusalReason, number> = {
    "max-waiting-connections": 0,
    "max-connections": 0,
    "max-connections-per-address": 0,
    "max-handshakes": 0,
    "not-allowed": 0,
    denied: 0,
    handshake: 0,
    closing: 0,
  };
  #open = 0;
  readonly #maxConnections: number;
  readonly #maxPerAddress: number;
  readonly #allow: AddressList | undefined;
  readonly #deny: AddressList | undefined;
  readonly #trusted: AddressList | undefined;
  readonly #trustsUnixPeers: boolean;
  readonly #perAddress = new Map<string, number>();

  /** Throws `ADDRESS_INVALID` for a list that cannot be read. */
  constructor(options: ListenOptions) {
    const { maxConnections, maxConnectionsPerAddress } = options.limits ?? {};
    this.#maxConnections = maxConnections ?? DEFAULT_MAX_CONNECTIONS;
    this.#maxPerAddress = maxConnectionsPerAddress ?? Number.POSITIVE_INFINITY;
    this.#allow = options.allow === undefined ? undefined : AddressList.parse(options.allow, OF_LISTEN);
    this.#deny = options.deny === undefined ? undefined : AddressList.parse(options.deny, OF_LISTEN);
    const proxies = options.proxyProtocol?.from;
    this.#trustsUnixPeers = proxies?.[0] === UNIX_PEERS;
    if (proxies !== undefined && !this.#trustsUnixPeers) this.#trusted = AddressList.parse(proxies, OF_LISTEN);
  }

  get stats(): Omit<ListenerStats, "handshakes" | "waiting" | "heldBytes"> {
    return { accepted: this.accepted, open: this.#open, refused: { ...this.refused } };
  }

  /** Whether the connection comes from a proxy that must announce the peer. */
  trusts(source: Address): boolean {
    return source.transport === "unix" ? this.#trustsUnixPeers : (this.#trusted?.matches(source) ?? false);
  }

  /** Takes a place for a new connection; a reason when there is none. `makeRoom` lets another one give its place back soon. */
  enter(makeRoom: () => boolean): RefusalReason | undefined {
    if (this.#open >= this.#maxConnections && !makeRoom()) return "max-connections";
    this.#open += 1;
    return undefined;
  }

  /** Gives the place back. */
  leave(): void {
    this.#open -= 1;
  }

  /** Whether this peer may come in; counts it under its address if so. */
  admit(peer: Address): RefusalReason | undefined {
    if (this.#deny?.matches(peer) === true) return "denied";
    if (this.#allow?.matches(peer) === false) return "not-allowed";
    if (this.#maxPerAddress === Number.POSITIVE_INFINITY) return undefined;
    const key = limitKey(peer);
    const open = this.#perAddress.get(key) ?? 0;
    if (open >= this.#maxPerAddress) return "max-connections-per-address";
    this.#perAddress.set(key, open + 1);
    return undefined;
  }

  /** The opposite of a successful `admit`. */
  dismiss(peer: Address): void {
    if (this.#maxPerAddress === Number.POSITIVE_INFINITY) return;
    const key = limitKey(peer);
    const open = this.#perAddress.get(key) ?? 0;
    if (open > 1) this.#perAddress.set(key, open - 1);
    else this.#perAddress.delete(key);
  }
}

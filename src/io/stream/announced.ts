/** What a proxy announces of the peer behind it. */

import type { Address } from "../../core/address/address.ts";
import type { ProxyHeader } from "../../core/proxy/header.ts";

/** A peer that comes through a trusted proxy. */
export interface Announced {
  /** Who it is: the client that the proxy names, or the proxy itself where it names none. */
  readonly remoteAddress: Address;
  /** All that the proxy says. */
  readonly proxy: ProxyHeader;
}

/** What a header announces at a listener, in its terms; `proxy` is the address of the proxy itself. */
export function announced(header: ProxyHeader, listener: Address, proxy: Address): Announced {
  const { command, source } = header;
  if (command !== "proxy" || source === undefined) return { remoteAddress: proxy, proxy: header };
  const peer = source.unmapped();
  // What comes in here is a stream, whatever the proxy calls it.
  const transport = listener.isIp ? listener.transport : "tcp";
  return { remoteAddress: peer.isIp ? peer.with({ transport }) : peer, proxy: header };
}

/** The PROXY header that a trusted proxy must send before anything else, and what it announces. */

import type { Address } from "../../core/address/address.ts";
import type { ProxyHeader } from "../../core/proxy/header.ts";
import { parseProxyHeader } from "../../core/proxy/parse.ts";
import { ProtocolError } from "../../core/errors.ts";
import type { StreamSink, StreamTransport } from "../network/network.ts";
import type { Announced } from "../stream/socket.ts";

/** Most headers are shorter. */
const FIRST_BYTES = 256;

const PARSING = { op: "accept" };

/** The header, and the bytes that came behind it and belong to the next layer. */
export interface ProxyPrelude {
  readonly header: ProxyHeader;
  readonly unread: Uint8Array;
}

/** Resolves with the header; rejects with `PROXY_HEADER_INVALID`, or with the error of the transport. */
export function readProxyHeader(transport: StreamTransport): Promise<ProxyPrelude> {
  return new Promise((resolve, reject) => {
    let bytes = Buffer.allocUnsafe(FIRST_BYTES);
    let length = 0;
    const sink: StreamSink = {
      received(view) {
        // Doubled, so that a header that comes byte by byte is not copied for each.
        if (length + view.length > bytes.length) {
          bytes = Buffer.concat([bytes.subarray(0, length)], Math.max(length + view.length, 2 * bytes.length));
        }
        bytes.set(view, length);
        length += view.length;
        try {
          const found = parseProxyHeader(bytes.subarray(0, length), PARSING);
          if (found === undefined) return;
          transport.pause();
          resolve({ header: found.header, unread: bytes.subarray(found.length, length) });
        } catch (error) {
          transport.pause();
          reject(error);
        }
      },
      ended() {
        const detail = "the proxy ended the connection before its PROXY header was complete";
        reject(new ProtocolError("PROXY_HEADER_INVALID", { op: "accept", detail }));
      },
      failed: reject,
    };
    transport.start(sink);
  });
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

/** Reads the PROXY header that a trusted proxy must send before anything else. */

import type { Address } from "../core/address/address.ts";
import type { ProxyHeader } from "../core/proxy/header.ts";
import { parseProxyHeader } from "../core/proxy/parse.ts";
import { ProtocolError } from "../core/errors.ts";
import type { StreamSink, StreamTransport } from "./network.ts";

/** The header, and the bytes that came behind it and belong to the next layer. */
export interface ProxyPrelude {
  readonly header: ProxyHeader;
  readonly unread: Uint8Array;
}

/** Resolves with the header; rejects with `PROXY_HEADER_INVALID`, or with the error of the transport. */
export function readProxyHeader(transport: StreamTransport): Promise<ProxyPrelude> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    const sink: StreamSink = {
      received(view) {
        received = Buffer.concat([received, view]);
        try {
          const found = parseProxyHeader(received);
          if (found === undefined) return;
          transport.pause();
          resolve({ header: found.header, unread: received.subarray(found.length) });
        } catch (error) {
          transport.pause();
          reject(error);
        }
      },
      ended() {
        const detail = "the proxy ended the connection before its PROXY header was whole";
        reject(new ProtocolError("PROXY_HEADER_INVALID", { op: "accept", detail }));
      },
      failed: reject,
    };
    transport.start(sink);
  });
}

/** The peer that a header announces, in the terms of the door that it came to; undefined when it announces none. */
export function announcedPeer(header: ProxyHeader, door: Address): Address | undefined {
  const { command, source } = header;
  if (command !== "proxy" || source === undefined) return undefined;
  const peer = source.unmapped();
  return peer.isIp && door.isIp ? peer.with({ transport: door.transport }) : peer;
}

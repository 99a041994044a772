/** HTTP, TLS and lines on one port: node server.js ADDRESS CERT.pem KEY.pem */

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { type Peer, serve } from "zocalo";
import { lines } from "zocalo/framing";

const [address = "tcp://127.0.0.1:7000", cert = "cert.pem", key = "key.pem"] = process.argv.slice(2);
const identity = { cert: readFileSync(cert), key: readFileSync(key) };

const web = createServer((request, response) => {
  response.end(`HTTP: ${request.method} ${request.url}\n`);
});

/** Looks at the first bytes, and leaves them for whoever speaks that protocol. */
async function answer(peer: Peer): Promise<void> {
  const [first] = await peer.peek(1, { timeoutMs: 10_000 });
  if (first === 22 && peer.tls === undefined) {
    // A record of the TLS handshake (RFC 8446 section 5.1). Inside, it may be anything again.
    await peer.startTls({ role: "server", ...identity, timeoutMs: 10_000 });
    return await answer(peer);
  }
  const opening = await peer.readUntil("\n", { timeoutMs: 10_000 });
  peer.unread(opening);
  if (/ HTTP\/1\.\d\r?\n$/.test(String(opening))) {
    // The connection belongs to node:http from here on.
    peer.detach();
    web.emit("connection", peer.interop.toNodeStream());
    return;
  }
  const text = peer.framed(lines());
  for await (const line of text) await text.send(`line: ${line}`);
}

const server = await serve(address, answer, { closeOn: ["SIGTERM"] });
console.error(`listening on ${String(server.localAddress)}`);
await server.closed;
web.close();

/** Connections with ours at one end and a raw socket of `node:net` or `node:tls` at the other. */

import { once } from "node:events";
import net from "node:net";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import tls from "node:tls";
import { type AddressLike, connect, listen, type StreamSocket, type TlsOptions } from "../../src/index.ts";
import { patternBytes, pending } from "../../src/testing/stream/check.ts";
import { testCertificates } from "../fixtures/certificates.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { gate } from "../fixtures/gate.ts";

const folder = temporaryFolder();
let paths = 0;

export const { authority, server: identity } = await testCertificates();

/** Both ends of one connection: ours, and a raw one. `beneath` is the raw one's socket of the kernel. */
export interface Pair {
  readonly own: StreamSocket;
  readonly raw: Duplex;
  readonly beneath: net.Socket;
}

/** One kind of connection, and how both ends of one are made, with ours on this side. */
export interface World {
  readonly name: string;
  readonly reset: boolean;
  /** TLS sends its own end, and a raw end has no half-close unless it is asked for. */
  readonly tls: boolean;
  readonly ownCalls: () => Promise<Pair>;
  readonly rawCalls: () => Promise<Pair>;
}

/** What is open; closed when the test is over. */
const opened: { close(): unknown }[] = [];

export function quiet<T extends Duplex>(stream: T): T {
  stream.on("error", () => undefined);
  opened.push({ close: () => stream.destroy() });
  return stream;
}

export function kept(socket: StreamSocket): StreamSocket {
  opened.push({ close: () => socket.abort() });
  return socket;
}

export async function cleanup(): Promise<void> {
  for (const one of opened.splice(0).reverse()) await one.close();
}

/** A raw server that takes one connection. */
export async function rawListener(place: net.ListenOptions, tlsOptions?: tls.TlsOptions) {
  const { open: came, opened: accepted } = gate<Duplex>();
  let beneath: net.Socket | undefined;
  const listener =
    tlsOptions === undefined
      ? net.createServer({ allowHalfOpen: true }, (raw) => came(raw))
      : tls.createServer({ allowHalfOpen: true, ...tlsOptions }, (raw) => came(raw));
  listener.on("tlsClientError", () => undefined);
  listener.on("connection", (socket: net.Socket) => {
    beneath ??= socket;
    quiet(socket);
  });
  listener.listen(place);
  await once(listener, "listening");
  opened.push({ close: () => listener.close() });
  const address = listener.address() as net.AddressInfo | string;
  return {
    port: typeof address === "string" ? 0 : address.port,
    accepted: async () => {
      const raw = quiet(await accepted);
      return { raw, beneath: beneath as net.Socket };
    },
  };
}

async function plainOwnCalls(place: net.ListenOptions, address: (port: number) => AddressLike): Promise<Pair> {
  const listener = await rawListener(place);
  const [own, accepted] = await Promise.all([connect(address(listener.port)), listener.accepted()]);
  return { own: kept(own), ...accepted };
}

async function plainRawCalls(address: AddressLike): Promise<Pair> {
  await using listener = await listen(address);
  const { path, port, host } = listener.localAddress;
  const raw = quiet(net.connect({ ...(path === "" ? { host, port } : { path }), allowHalfOpen: true }));
  return { own: kept(await listener.accept()), raw, beneath: raw };
}

export async function tlsOwnCalls(own: TlsOptions = {}, raw: tls.TlsOptions = {}): Promise<Pair> {
  const listener = await rawListener({ port: 0, host: "127.0.0.1" }, { ...identity, ...raw });
  const options = { tls: { ca: authority.cert, ...own } };
  const [socket, accepted] = await Promise.all([
    connect(`tls://127.0.0.1:${listener.port}`, options),
    listener.accepted(),
  ]);
  return { own: kept(socket), ...accepted };
}

export async function tlsRawCalls(own: TlsOptions = {}, options: tls.ConnectionOptions = {}): Promise<Pair> {
  await using listener = await listen("tls://127.0.0.1:0", { tls: { ...identity, ...own } });
  const beneath = quiet(net.connect({ port: listener.localAddress.port, host: "127.0.0.1", allowHalfOpen: true }));
  const raw = quiet(tls.connect({ socket: beneath, ca: authority.cert, servername: "localhost", ...options }));
  const accepted = pending(listener.accept());
  await once(raw, "secureConnect");
  return { own: kept(await accepted), raw, beneath };
}

const newPath = (): string => join(folder, `${(paths += 1)}.sock`);

export const worlds: readonly World[] = [
  {
    name: "tcp over IPv4",
    reset: true,
    tls: false,
    ownCalls: () => plainOwnCalls({ port: 0, host: "127.0.0.1" }, (port) => `tcp://127.0.0.1:${port}`),
    rawCalls: () => plainRawCalls("tcp://127.0.0.1:0"),
  },
  {
    name: "tcp over IPv6",
    reset: true,
    tls: false,
    ownCalls: () => plainOwnCalls({ port: 0, host: "::1" }, (port) => `tcp://[::1]:${port}`),
    rawCalls: () => plainRawCalls("tcp://[::1]:0"),
  },
  {
    name: "unix",
    reset: false,
    tls: false,
    ownCalls: () => {
      const path = newPath();
      return plainOwnCalls({ path }, () => `unix:${path}`);
    },
    rawCalls: () => plainRawCalls(`unix:${newPath()}`),
  },
  { name: "tls", reset: true, tls: true, ownCalls: () => tlsOwnCalls(), rawCalls: () => tlsRawCalls() },
];

/** What arrives at a raw end; its own side stays open. */
export function arrivals(raw: Duplex): AsyncIterable<Buffer> {
  return raw.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
}

export async function rawToEnd(raw: Duplex): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of arrivals(raw)) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** Sends the pattern with a raw stream, as fast as it takes it. */
export async function rawPattern(raw: Duplex, byteCount: number): Promise<void> {
  for (let sent = 0; sent < byteCount; sent += 100_000) {
    const piece = patternBytes(sent, Math.min(100_000, byteCount - sent));
    if (!raw.write(piece)) await once(raw, "drain");
  }
  raw.end();
}

/** Every kind of server that a hostile peer can meet, and how a rude and a polite client reach each. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import tls from "node:tls";
import {
  connect,
  EndOfStreamError,
  type NetworkOption,
  type Peer,
  type PeerHandler,
  serve,
  type Server,
  type ServeOptions,
} from "../../src/index.ts";
import { lines } from "../../src/framing.ts";
import { testCertificates } from "../fixtures/certificates.ts";

const folder = mkdtempSync(join(tmpdir(), "zocalo-hostile-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
let paths = 0;

const { authority, server: identity } = await testCertificates();

/** What a trusted proxy says first. */
export const PROXY_HEADER = "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n";
const POLITE_MS = 20_000;

/** What one kind of server is made of. */
export interface Kind {
  readonly name: string;
  readonly transport: "tcp" | "unix";
  readonly tls: boolean;
  readonly proxy: boolean;
  readonly handler: PeerHandler;
}

/** Answers lines in capitals, with a framed reader. */
async function shoutFramed(peer: Peer): Promise<void> {
  const text = peer.framed(lines({ maxLineBytes: 1000 }));
  for await (const line of text) await text.send(line.toUpperCase());
}

/** The same with `readUntil`. */
async function shoutLines(peer: Peer): Promise<void> {
  try {
    for (;;) await peer.write(String(await peer.readUntil("\n", { maxBytes: 1000 })).toUpperCase());
  } catch (error) {
    if (!(error instanceof EndOfStreamError) || error.partial.length > 0) throw error;
  }
}

const plain = { transport: "tcp", tls: false, proxy: false, handler: shoutLines } as const;

/** All kinds of stream server. */
export const kinds: readonly Kind[] = [
  { ...plain, name: "tcp" },
  { ...plain, name: "tcp, framed", handler: shoutFramed },
  { ...plain, name: "tcp behind PROXY", proxy: true },
  { ...plain, name: "tls", tls: true },
  { ...plain, name: "tls behind PROXY", tls: true, proxy: true },
  { ...plain, name: "unix", transport: "unix" },
];

const open = new Set<Server>();

/** Closes what a failed test has left open. */
export async function closeListeners(): Promise<void> {
  await Promise.all([...open].map((server) => server.close({ timeoutMs: 0 })));
}

/** Options of `serve`, and another handler. */
export interface ListenerOptions extends ServeOptions, NetworkOption {
  readonly handler?: PeerHandler;
}

/** Waits until a raw socket is closed: by its side, by a reset, or because the peer ended (a Unix socket has no reset). */
export function gone(socket: net.Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) {
      resolve();
      return;
    }
    socket.once("close", () => resolve()).once("end", () => socket.destroy());
    if (socket.readableEnded) socket.destroy();
  });
}

/** An open server of one kind. */
export class Listener {
  readonly kind: Kind;
  readonly server: Server;
  /** What handlers threw. */
  readonly thrown: readonly unknown[];

  private constructor(kind: Kind, server: Server, thrown: readonly unknown[]) {
    this.kind = kind;
    this.server = server;
    this.thrown = thrown;
    open.add(server);
    void server.closed.then(() => open.delete(server));
  }

  static async open(kind: Kind, options: ListenerOptions = {}): Promise<Listener> {
    const thrown: unknown[] = [];
    const { handler = kind.handler, ...rest } = options;
    const server = await serve(Listener.#address(kind), handler, {
      ...(kind.tls ? { tls: identity } : {}),
      ...(kind.proxy ? { proxyProtocol: { from: ["127.0.0.1"] } } : {}),
      onError: (error) => void thrown.push(error),
      ...rest,
    });
    return new Listener(kind, server, thrown);
  }

  static #address(kind: Kind): string {
    if (kind.transport === "unix") return `unix:${join(folder, `${(paths += 1)}.sock`)}`;
    return kind.tls ? "tls://127.0.0.1:0" : "tcp://127.0.0.1:0";
  }

  /** A raw connection that has said nothing yet. */
  async knock(): Promise<net.Socket> {
    const { path, port } = this.server.localAddress;
    const target = this.kind.transport === "unix" ? { path } : { host: "127.0.0.1", port };
    const socket = net.connect({ ...target, allowHalfOpen: true }).on("error", () => undefined);
    // A listener that turns it away at once may do so before it has seen that it was connected.
    await new Promise<void>((resolve) => {
      socket.once("connect", () => resolve()).once("close", () => resolve());
    });
    return socket;
  }

  /** A raw connection up to where the handler has it: what goes in, and the socket beneath. */
  async enter(): Promise<{ readonly stream: Duplex; readonly socket: net.Socket }> {
    const socket = await this.knock();
    if (this.kind.proxy) socket.write(PROXY_HEADER);
    if (!this.kind.tls) return { stream: socket, socket };
    const stream = tls.connect({ socket, ca: authority.cert, servername: "localhost" });
    const secured = once(stream, "secureConnect");
    stream.on("error", () => undefined);
    await secured;
    return { stream, socket };
  }

  /** A client that keeps the rules gets its answer. */
  async serves(): Promise<void> {
    const { localAddress } = this.server;
    const call = await connect(
      localAddress.transport === "tls" ? localAddress.with({ transport: "tcp" }) : localAddress,
      {
        timeoutMs: POLITE_MS,
      },
    );
    if (this.kind.proxy) await call.write(PROXY_HEADER);
    if (this.kind.tls) await call.startTls({ role: "client", ca: authority.cert, servername: "localhost" });
    await call.write("hola\n");
    assert.equal(String(await call.readUntil("\n", { timeoutMs: POLITE_MS })), "HOLA\n");
    await call.close();
  }

  /** Waits until nobody is inside, and closes. */
  async closes(): Promise<void> {
    const { cut } = await this.server.close({ timeoutMs: POLITE_MS });
    assert.equal(cut, 0, "handlers that did not end");
    assert.equal(this.server.peers.size, 0);
    assert.equal(this.server.stats.open, 0);
  }
}

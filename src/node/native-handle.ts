/**
 * What Zócalo needs of Node beneath its documented surface, in this one file, each use detected before it is relied on.
 * Where a runtime (Bun, Deno, another Node) lacks it, everything still works, more slowly or with a note in the answer.
 *
 * 1. A raw socket can be given a buffer to read into only when it is made (`onread`, documented for connecting sockets).
 *    An accepted socket is made by `net.Server`, so its handle is moved into a new socket that has one.
 * 2. `net.Socket` reports a reset behind unread data as an end on Node 20 and 22; the handle knows better.
 * 3. The bytes that the kernel has not taken yet.
 * 4. A TLS engine in the server's role keeps its errors to itself, unless a `tls.Server` made it.
 * 5. A datagram socket can stop receiving, and has a descriptor by which the kernel's tables know it.
 */

import type dgram from "node:dgram";
import net from "node:net";
import type tls from "node:tls";
import { Address } from "../core/address/address.ts";

interface Handle {
  getpeername?: (out: object) => number;
  useUserBuffer?: unknown;
  readStart?: () => number;
  writeQueueSize?: number;
}

interface InternalSocket extends net.Socket {
  _handle?: Handle | null;
  _server?: unknown;
  server?: unknown;
  _readableState?: { autoDestroy?: boolean };
}

/** What `new net.Socket` needs to read into one buffer that all sockets share. */
export interface SharedReadOptions {
  readonly onread: {
    readonly buffer: Uint8Array;
    readonly callback: (this: net.Socket, count: number, buffer: Uint8Array) => boolean;
  };
}

/** Deno puts TLS on what a socket reads as a stream, which is nothing where it reads into a buffer: handshakes would hang. */
const readsForTls = !("deno" in process.versions);

/** Whether this runtime reads into the given buffer and calls back on the socket, as Node does, and TLS can follow on that. */
export function honoursSharedReads(options: SharedReadOptions): boolean {
  if (!readsForTls) return false;
  const probe = new net.Socket({ ...options, allowHalfOpen: true }) as unknown as Record<symbol, unknown>;
  const kept = Object.getOwnPropertySymbols(probe).find((key) => key.description === "kBuffer");
  return kept !== undefined && probe[kept] === options.onread.buffer;
}

/** Moves the connection of a freshly accepted, paused socket into one that reads with `options`; or answers it as it is. */
export function adoptAccepted(accepted: net.Socket, options: SharedReadOptions): net.Socket | undefined {
  const source = accepted as InternalSocket;
  const handle = source._handle;
  if (typeof handle?.useUserBuffer !== "function" || !("_server" in source) || !readsForTls) return undefined;
  const settings = { ...options, handle, allowHalfOpen: true, pauseOnCreate: true };
  const adopted = new net.Socket(settings) as InternalSocket;
  // The server counts its connections through these two.
  adopted._server = source._server;
  adopted.server = source.server;
  source._server = null;
  source.server = null;
  source._handle = null;
  return adopted;
}

/** Whether the kernel has forgotten the peer of a socket whose stream has just ended; undefined when it cannot tell. */
export function peerIsGone(socket: net.Socket): boolean | undefined {
  const handle = (socket as InternalSocket)._handle;
  if (typeof handle?.getpeername !== "function") return undefined;
  return handle.getpeername({}) !== 0;
}

/**
 * Asks the kernel once more for bytes, after an end: a hidden error then comes out as the socket's `error`. Keeps Node from
 * destroying the socket because both sides have ended; the caller does that. False when this runtime cannot.
 */
export function readAgain(socket: net.Socket): boolean {
  const { _handle: handle, _readableState: state } = socket as InternalSocket;
  if (typeof handle?.readStart !== "function" || typeof state?.autoDestroy !== "boolean") return false;
  state.autoDestroy = false;
  return handle.readStart() === 0;
}

/**
 * The peer's IP address and port. Asks the handle, because the socket's own properties keep what they answer, which doubles
 * the memory of every connection. Undefined when the peer is gone already.
 */
function peerName(socket: net.Socket): { readonly address: string; readonly port: number } | undefined {
  const handle = (socket as InternalSocket)._handle;
  const name: { address?: string; port?: number } = {};
  if (typeof handle?.getpeername === "function") handle.getpeername(name);
  const { address = socket.remoteAddress, port = socket.remotePort } = name;
  return address === undefined || port === undefined ? undefined : { address, port };
}

/**
 * Resets a TCP connection. Not while a FIN is under way: the system library refuses that, Node forgets the handle all the
 * same, and on Node 20 nothing can close it any more.
 */
export function resetSocket(socket: net.Socket): void {
  const ignore = (): void => undefined;
  socket.on("error", ignore);
  socket.resetAndDestroy();
  socket.off("error", ignore);
}

/** Bytes handed to the socket that the kernel has not taken. */
export function unsentBytes(socket: net.Socket): number {
  return (socket as InternalSocket)._handle?.writeQueueSize ?? socket.writableLength;
}

/**
 * Lets a TLS engine in the server's role emit its errors: damaged records, alerts of the client, too many renegotiations.
 * `tls.Server` does this for its own engines when their handshake is finished; with any other, Node drops those errors and
 * the connection would stay open for ever, deaf. On a runtime without it the limits of a connection have to end it.
 */
export function tellTlsErrors(engine: tls.TLSSocket): void {
  (engine as tls.TLSSocket & { _releaseControl?: () => void })._releaseControl?.();
}

/** Starts and stops reception; both answer 0 or an error number. */
export interface ReceiveSwitch {
  recvStart(): number;
  recvStop(): number;
}

interface DatagramHandle extends ReceiveSwitch {
  readonly fd: number;
}

function datagramHandle(socket: dgram.Socket): Partial<DatagramHandle> | undefined {
  const key = Object.getOwnPropertySymbols(socket).find((symbol) => symbol.description === "state symbol");
  if (key === undefined) return undefined;
  return (socket as unknown as Record<symbol, { readonly handle?: Partial<DatagramHandle> } | undefined>)[key]?.handle;
}

/** The descriptor of a bound socket; undefined where this runtime does not tell. */
export function descriptorOf(socket: dgram.Socket): number | undefined {
  const fd = datagramHandle(socket)?.fd;
  return typeof fd === "number" && fd >= 0 ? fd : undefined;
}

/** The switch of a bound socket; undefined where this runtime has none. */
export function receiveSwitch(socket: dgram.Socket): ReceiveSwitch | undefined {
  const handle = datagramHandle(socket);
  if (typeof handle?.recvStart !== "function" || typeof handle.recvStop !== "function") return undefined;
  return handle as ReceiveSwitch;
}

/** The own address of a connected socket; `known` where that is all there is to say. */
export function localAddressOf(socket: net.Socket, known: Address): Address {
  if (socket.localAddress === undefined || known.transport === "unix") return known;
  return Address.fromIp(known.transport, socket.localAddress, socket.localPort ?? 0).unmapped();
}

/** The peer of a socket that a listener at `local` accepted; undefined when it is gone already. */
export function acceptedPeer(socket: net.Socket, local: Address): Address | undefined {
  // A Unix client has no name of its own.
  if (local.transport === "unix") return Address.fromPath("");
  const name = peerName(socket);
  return name === undefined ? undefined : Address.fromIp(local.transport, name.address, name.port).unmapped();
}

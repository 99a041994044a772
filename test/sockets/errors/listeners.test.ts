/** The failures of making connections: connect, listen, accept, serve; TLS, certificates, PROXY headers. */

import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { closeSync, openSync } from "node:fs";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import {
  ConnectError,
  connect,
  ConnectionError,
  type ConnectOptions,
  type DiagnosticEvent,
  listen,
  type ListenOptions,
  nodeNetwork,
  ProtocolError,
  serve,
  TimeoutError,
  UsageError,
  ZocaloError,
} from "../../../src/index.ts";
import { makeAuthority, makeRevocationList, makeIdentity, testCertificates } from "../../fixtures/certificates.ts";
import { failure, ignored, type Scene, tcpPair } from "./row.ts";

const ANY = "tcp://127.0.0.1:0";
const { authority, server } = await testCertificates();

/** An address at which nobody listens any more. */
async function deserted(): Promise<string> {
  const listener = await listen(ANY);
  await listener.close();
  return listener.localAddress.toString();
}

describe("connect", () => {
  const op = "connect";
  const usage = { type: UsageError, op, side: "local" } as const;
  failure({ code: "ADDRESS_INVALID", ...usage }).of({
    "no address": () => connect(""),
    "no such scheme": () => connect("http://127.0.0.1:1"),
    "a datagram socket's address": () => connect("udp://127.0.0.1:1"),
    "port 0": () => connect(ANY),
    "an own address that is a name": () => connect("tcp://127.0.0.1:1", { localAddress: "localhost" }),
  });
  failure({ code: "OPTION_INVALID", ...usage }).of({
    "no write queue": () => connect("tcp://127.0.0.1:1", { limits: { maxWriteQueueBytes: 0 } }),
  });
  const failed = { type: ConnectError, op, knows: ["remote"] } as const;
  const refused = { ...failed, code: "CONNECTION_REFUSED", side: "remote" } as const;
  failure({ ...refused, cause: true }).of({ "nobody listens": async () => await connect(await deserted()) });
  failure(refused).of({
    "nobody listens, by name": async () => await connect((await deserted()).replace("127.0.0.1", "localhost")),
    "nobody listens, with retry": async () => await connect(await deserted(), { retry: { timeoutMs: 1 } }),
  });
  failure({ ...refused, says: /^the file at that path is no socket/, cause: true }).of({
    "a path that is no socket": () => connect(`unix:${fileURLToPath(import.meta.url)}`.replaceAll("%", "%25")),
  });
  const system = { ...failed, side: "system" } as const;
  failure({ ...system, code: "PATH_NOT_FOUND", cause: true }).of({
    "no such path": () => connect("unix:/nowhere/at/all.sock"),
  });
  const says = /^localAddress is not an address of this machine/;
  failure({ ...system, code: "ADDRESS_NOT_AVAILABLE", says, cause: true }).of({
    "a foreign own address": async () => await connect(await deserted(), { localAddress: "192.0.2.1" }),
  });
  failure({ ...system, code: "NAME_NOT_FOUND" }).of({
    "a name that does not exist": () => connect("tcp://name.invalid:1", { network: withoutNames }),
  });
  failure({ ...system, code: "TIMEOUT", type: TimeoutError, outcome: "none" }).of({
    async "the time-out covers the handshake"(scene) {
      const listener = scene.keep(await listen(ANY));
      await connect(listener.localAddress.with({ transport: "tls" }), { timeoutMs: 30 });
    },
  });
});

/** Loopback without a name service. */
const withoutNames = {
  ...nodeNetwork,
  sockets: {
    ...nodeNetwork.sockets,
    resolve: (host: string) => Promise.reject(new ZocaloError("NAME_NOT_FOUND", { op: "resolve", remote: host })),
  },
};

describe("listen and serve", () => {
  const op = "listen";
  const usage = { type: UsageError, op, side: "local" } as const;
  failure({ code: "ADDRESS_INVALID", ...usage }).of({
    "no port": () => listen("tcp://127.0.0.1"),
    "a datagram socket's address": () => listen("udp://127.0.0.1:0"),
    "a list with garbage": () => listen(ANY, { allow: ["10.0.0.0/99"] }),
    "proxies with garbage": () => listen(ANY, { proxyProtocol: { from: ["x"] } }),
  });
  failure({ code: "OPTION_INVALID", ...usage }).of({
    "TLS without a certificate": () => listen("tls://127.0.0.1:0"),
    "half a connection": () => listen(ANY, { limits: { maxConnections: 0.5 } }),
    "an accept queue below none": () => listen(ANY, { limits: { maxWaitingConnections: -1 } }),
    "no time for the handshake": () => listen(ANY, { timeouts: { handshakeMs: 0 } }),
    "no read-ahead": () => listen(ANY, { limits: { maxReadAheadBytes: 0 } }),
  });
  failure({ code: "OPTION_INVALID", ...usage, op: "serve" }).of({
    "serve without a handler": () => serve(ANY, undefined as never),
  });
  const system = { type: ZocaloError, op, side: "system", knows: ["local"], cause: true } as const;
  failure({ ...system, code: "ADDRESS_IN_USE", says: /^another program uses that address, or this one does/ }).of({
    "the address is in use": async (scene) => await listen(scene.keep(await listen(ANY)).localAddress),
  });
  failure({ ...system, code: "ADDRESS_IN_USE", op: "serve" }).of({
    "serve: the address is in use": async (scene) =>
      await serve(scene.keep(await listen(ANY)).localAddress, () => undefined),
  });
  failure({ ...system, code: "ADDRESS_NOT_AVAILABLE" }).of({
    "not an address of this machine": () => listen("tcp://192.0.2.1:0"),
  });
  failure({ code: "CERTIFICATE_INVALID", op, knows: ["local"], cause: true }).of({
    "a certificate that is none": () => listen("tls://127.0.0.1:0", { tls: { cert: "x", key: "y" } }),
  });
  failure({ code: "OPTION_INVALID", ...usage, says: /^descriptor \d+ is no socket that listens/, cause: true }).of({
    async "a descriptor of a file"() {
      const fd = openSync(fileURLToPath(import.meta.url), "r");
      await listen(ANY, { fd }).finally(() => closeSync(fd));
    },
    async "a descriptor of a connection"(scene) {
      const [call] = await tcpPair(scene);
      const { fd } = Reflect.get(call.interop.native as object, "_handle") as { readonly fd: number };
      await listen(ANY, { fd });
    },
  });
  failure({ code: "CLOSED", type: ConnectionError, op: "accept", side: "local", knows: ["local"] }).of({
    async "accept on a closed listener"() {
      const listener = await listen(ANY);
      await listener.close();
      await listener.accept();
    },
    async "accept when the listener is closed"() {
      const listener = await listen(ANY);
      const waiting = ignored(listener.accept());
      await listener.close();
      return await waiting;
    },
  });
});

describe("TLS", () => {
  const failed = { type: ConnectError, op: "connect", side: "remote", knows: ["remote"], cause: true } as const;
  /** A client that trusts the authority, and `tls` besides, calls a server. */
  const call = async (scene: Scene, tls: ConnectOptions["tls"], serving: ListenOptions["tls"] = server) => {
    const listener = scene.keep(await listen("tls://127.0.0.1:0", { tls: serving }));
    scene.keep(await connect(listener.localAddress, { tls: { ca: authority.cert, ...tls } }));
  };
  const between = async (scene: Scene, fromDays: number, toDays: number) =>
    await call(scene, {}, await makeIdentity(authority, { name: "server", ips: ["127.0.0.1"], fromDays, toDays }));
  failure({ ...failed, code: "CERTIFICATE_UNTRUSTED" }).of({
    "the certificate of nobody": (scene) => call(scene, { ca: undefined }),
    "another authority": async (scene) => await call(scene, { ca: (await makeAuthority("another")).cert }),
  });
  failure({ ...failed, code: "CERTIFICATE_NAME_MISMATCH" }).of({
    "another name": (scene) => call(scene, { servername: "other.example" }),
  });
  failure({ ...failed, code: "CERTIFICATE_EXPIRED" }).of({ expired: (scene) => between(scene, -3, -1) });
  failure({ ...failed, code: "CERTIFICATE_NOT_YET_VALID" }).of({ "not yet valid": (scene) => between(scene, 1, 3) });
  failure({ ...failed, code: "CERTIFICATE_REVOKED" }).of({
    "taken back by its authority": async (scene) =>
      await call(scene, { crl: await makeRevocationList(authority, [server]) }),
  });
  failure({ ...failed, code: "TLS_FAILED" }).of({
    async "the server speaks no TLS"(scene) {
      const listener = scene.keep(await serve(ANY, (peer) => peer.write("220 hello, this is plain text\r\n")));
      await connect(listener.localAddress.with({ transport: "tls" }));
    },
  });
});

describe("what a listener cannot hand to anybody is told to zocalo:error", () => {
  const proxied = { proxyProtocol: { from: ["127.0.0.1"] } };
  failure({ code: "PROXY_HEADER_INVALID", type: ProtocolError, op: "handshake", side: "remote" }).of({
    "no PROXY header": (scene) => toldBy(scene, ANY, proxied, "GET / HTTP/1.1\r\n\r\n"),
    "a PROXY header that is cut off": (scene) => toldBy(scene, ANY, proxied, "PROXY TCP4 127"),
  });
  failure({ code: "TLS_FAILED", side: "remote", knows: ["local", "remote"], cause: true }).of({
    "a client that speaks no TLS": (scene) =>
      toldBy(scene, "tls://127.0.0.1:0", { tls: server }, "GET / HTTP/1.1\r\n\r\n"),
  });
});

/** What a listener tells of a client that sends `text` and ends. */
async function toldBy(scene: Scene, address: string, options: ListenOptions, text: string): Promise<never> {
  const listener = scene.keep(await listen(address, options));
  const local = listener.localAddress.toString();
  let heard = (_message: unknown): void => undefined;
  const told = new Promise<unknown>((resolve) => {
    heard = (message) => {
      const event = message as DiagnosticEvent;
      if (event.local === local) resolve(event.error);
    };
  });
  subscribe("zocalo:error", heard);
  const call = scene.keep(await connect(listener.localAddress.with({ transport: "tcp" })));
  await call
    .write(text)
    .then(() => call.end())
    .catch(() => undefined);
  const error = await told;
  unsubscribe("zocalo:error", heard);
  throw error;
}

describe("the figures of a server", () => {
  it("metrics does not fail, also when the server is closed", async () => {
    const open = await serve(ANY, () => undefined);
    assert.match(await open.metrics(), /# EOF\n$/);
    await open.close();
    assert.match(await open.metrics(), /# EOF\n$/);
  });
});

/** The failures of making connections: connect, listen, accept, serve; TLS, certificates, PROXY headers. */

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { closeSync, openSync } from "node:fs";
import { describe } from "node:test";
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
import { checkRows, ignored, type Row, type Scene, tcpPair } from "./row.ts";

const ANY = "tcp://127.0.0.1:0";
const { authority, server } = await testCertificates();

/** An address at which nobody listens any more. */
async function deserted(): Promise<string> {
  const listener = await listen(ANY);
  await listener.close();
  return listener.localAddress.toString();
}

describe("connect", () => {
  const type = ConnectError;
  const op = "connect";
  const remote = ["remote"] as const;
  const wrong = (name: string, code: "ADDRESS_INVALID" | "OPTION_INVALID", make: Row["make"]): Row => ({
    name,
    make,
    code,
    type: UsageError,
    op,
    side: "local",
  });
  checkRows([
    wrong("no address", "ADDRESS_INVALID", () => connect("")),
    wrong("no such scheme", "ADDRESS_INVALID", () => connect("http://127.0.0.1:1")),
    wrong("a datagram socket's address", "ADDRESS_INVALID", () => connect("udp://127.0.0.1:1")),
    wrong("port 0", "ADDRESS_INVALID", () => connect(ANY)),
    wrong("an own address that is a name", "ADDRESS_INVALID", () =>
      connect("tcp://127.0.0.1:1", { localAddress: "localhost" }),
    ),
    wrong("no write queue", "OPTION_INVALID", () =>
      connect("tcp://127.0.0.1:1", { limits: { maxWriteQueueBytes: 0 } }),
    ),
    {
      name: "nobody listens",
      make: async () => await connect(await deserted()),
      code: "CONNECTION_REFUSED",
      type,
      op,
      side: "remote",
      knows: remote,
      cause: true,
    },
    {
      name: "nobody listens, by name",
      make: async () => await connect((await deserted()).replace("127.0.0.1", "localhost")),
      code: "CONNECTION_REFUSED",
      type,
      op,
      side: "remote",
      knows: remote,
    },
    {
      name: "nobody listens, with retry",
      make: async () => await connect(await deserted(), { retry: { timeoutMs: 1 } }),
      code: "CONNECTION_REFUSED",
      type,
      op,
      side: "remote",
      knows: remote,
    },
    {
      name: "a path that is no socket",
      make: () => connect(`unix:${fileURLToPath(import.meta.url)}`.replaceAll("%", "%25")),
      code: "CONNECTION_REFUSED",
      type,
      op,
      side: "remote",
      says: /^the file at that path is no socket/,
      knows: remote,
      cause: true,
    },
    {
      name: "no such path",
      make: () => connect("unix:/nowhere/at/all.sock"),
      code: "PATH_NOT_FOUND",
      type,
      op,
      side: "system",
      knows: remote,
      cause: true,
    },
    {
      name: "a foreign own address",
      make: async () => await connect(await deserted(), { localAddress: "192.0.2.1" }),
      code: "ADDRESS_NOT_AVAILABLE",
      type,
      op,
      side: "system",
      says: /^localAddress is not an address of this machine/,
      knows: remote,
      cause: true,
    },
    {
      name: "a name that does not exist",
      make: () => connect("tcp://name.invalid:1", { network: withoutNames }),
      code: "NAME_NOT_FOUND",
      type,
      op,
      side: "system",
      knows: remote,
    },
    {
      name: "the time-out covers the handshake",
      make: async (scene) => {
        const listener = scene.keep(await listen(ANY));
        await connect(listener.localAddress.with({ transport: "tls" }), { timeoutMs: 30 });
      },
      code: "TIMEOUT",
      type: TimeoutError,
      op,
      side: "system",
      outcome: "none",
      knows: remote,
    },
  ]);
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
  const wrong = (name: string, code: "ADDRESS_INVALID" | "OPTION_INVALID", make: Row["make"]): Row => ({
    name,
    make,
    code,
    type: UsageError,
    side: "local",
  });
  const option = (name: string, options: ListenOptions): Row => ({
    ...wrong(name, "OPTION_INVALID", () => listen(ANY, options)),
    op,
  });
  checkRows([
    { ...wrong("no port", "ADDRESS_INVALID", () => listen("tcp://127.0.0.1")), op },
    { ...wrong("a datagram socket's address", "ADDRESS_INVALID", () => listen("udp://127.0.0.1:0")), op },
    { ...wrong("TLS without a certificate", "OPTION_INVALID", () => listen("tls://127.0.0.1:0")), op },
    { ...wrong("serve without a handler", "OPTION_INVALID", () => serve(ANY, undefined as never)), op: "serve" },
    { ...wrong("a list with garbage", "ADDRESS_INVALID", () => listen(ANY, { allow: ["10.0.0.0/99"] })), op },
    { ...wrong("proxies with garbage", "ADDRESS_INVALID", () => listen(ANY, { proxyProtocol: { from: ["x"] } })), op },
    option("half a connection", { limits: { maxConnections: 0.5 } }),
    option("an accept queue below none", { limits: { maxWaitingConnections: -1 } }),
    option("no time for the handshake", { timeouts: { handshakeMs: 0 } }),
    option("no read-ahead", { limits: { maxReadAheadBytes: 0 } }),
    {
      name: "the address is in use",
      make: async (scene) => await listen(scene.keep(await listen(ANY)).localAddress),
      code: "ADDRESS_IN_USE",
      type: ZocaloError,
      op,
      side: "system",
      says: /^another program uses that address, or this one does/,
      knows: ["local"],
      cause: true,
    },
    {
      name: "serve: the address is in use",
      make: async (scene) => await serve(scene.keep(await listen(ANY)).localAddress, () => undefined),
      code: "ADDRESS_IN_USE",
      type: ZocaloError,
      op: "serve",
      side: "system",
      knows: ["local"],
      cause: true,
    },
    {
      name: "not an address of this machine",
      make: () => listen("tcp://192.0.2.1:0"),
      code: "ADDRESS_NOT_AVAILABLE",
      type: ZocaloError,
      op,
      side: "system",
      knows: ["local"],
      cause: true,
    },
    {
      name: "a certificate that is none",
      make: () => listen("tls://127.0.0.1:0", { tls: { cert: "x", key: "y" } }),
      code: "CERTIFICATE_INVALID",
      op,
      knows: ["local"],
      cause: true,
    },
    {
      name: "a descriptor of a file",
      make: async () => {
        const fd = openSync(fileURLToPath(import.meta.url), "r");
        await listen(ANY, { fd }).finally(() => closeSync(fd));
      },
      code: "OPTION_INVALID",
      type: UsageError,
      op,
      side: "local",
      says: /^descriptor \d+ is no socket that listens/,
      cause: true,
    },
    {
      name: "a descriptor of a connection",
      make: async (scene) => {
        const [call] = await tcpPair(scene);
        const { fd } = Reflect.get(call.interop.native as object, "_handle") as { readonly fd: number };
        await listen(ANY, { fd });
      },
      code: "OPTION_INVALID",
      type: UsageError,
      op,
      side: "local",
      says: /^descriptor \d+ is no socket that listens/,
      cause: true,
    },
    {
      name: "accept on a closed listener",
      make: async () => {
        const listener = await listen(ANY);
        await listener.close();
        await listener.accept();
      },
      code: "CLOSED",
      type: ConnectionError,
      op: "accept",
      side: "local",
      knows: ["local"],
    },
    {
      name: "accept when the listener is closed",
      make: async () => {
        const listener = await listen(ANY);
        const waiting = ignored(listener.accept());
        await listener.close();
        return await waiting;
      },
      code: "CLOSED",
      type: ConnectionError,
      op: "accept",
      side: "local",
      knows: ["local"],
    },
  ]);
});

describe("TLS", () => {
  const type = ConnectError;
  const row = (
    name: string,
    code: Row["code"],
    listening: ListenOptions["tls"],
    calling: ConnectOptions["tls"],
  ): Row => ({
    name,
    make: async (scene) => {
      const listener = scene.keep(await listen("tls://127.0.0.1:0", { tls: listening }));
      scene.keep(await connect(listener.localAddress, { tls: { ca: authority.cert, ...calling } }));
    },
    code,
    type,
    op: "connect",
    side: "remote",
    knows: ["remote"],
    cause: true,
  });
  const identity = async (days: { fromDays?: number; toDays?: number }) =>
    await makeIdentity(authority, { name: "server", ips: ["127.0.0.1"], ...days });
  const lazily = (name: string, code: Row["code"], days: { fromDays?: number; toDays?: number }): Row => ({
    ...row(name, code, server, {}),
    make: async (scene) => await row(name, code, await identity(days), {}).make(scene),
  });
  checkRows([
    row("the certificate of nobody", "CERTIFICATE_UNTRUSTED", server, { ca: undefined }),
    row("another name", "CERTIFICATE_NAME_MISMATCH", server, { servername: "other.example" }),
    lazily("expired", "CERTIFICATE_EXPIRED", { fromDays: -3, toDays: -1 }),
    lazily("not yet valid", "CERTIFICATE_NOT_YET_VALID", { fromDays: 1, toDays: 3 }),
    {
      ...row("taken back by its authority", "CERTIFICATE_REVOKED", server, {}),
      make: async (scene) => {
        const crl = await makeRevocationList(authority, [server]);
        await row("", "CERTIFICATE_REVOKED", server, { crl }).make(scene);
      },
    },
    {
      ...row("another authority", "CERTIFICATE_UNTRUSTED", server, {}),
      make: async (scene) => {
        const other = await makeAuthority("another");
        await row("", "CERTIFICATE_UNTRUSTED", server, { ca: other.cert }).make(scene);
      },
    },
    {
      name: "the server speaks no TLS",
      make: async (scene) => {
        const listener = scene.keep(await serve(ANY, (peer) => peer.write("220 hello, this is plain text\r\n")));
        await connect(listener.localAddress.with({ transport: "tls" }));
      },
      code: "TLS_FAILED",
      type,
      op: "connect",
      side: "remote",
      knows: ["remote"],
      cause: true,
    },
  ]);
});

describe("what a listener cannot hand to anybody is told to zocalo:error", () => {
  const proxied = { proxyProtocol: { from: ["127.0.0.1"] } };
  checkRows([
    {
      name: "no PROXY header",
      make: (scene) => toldBy(scene, ANY, proxied, "GET / HTTP/1.1\r\n\r\n"),
      code: "PROXY_HEADER_INVALID",
      type: ProtocolError,
      op: "handshake",
      side: "remote",
    },
    {
      name: "a PROXY header that is cut off",
      make: (scene) => toldBy(scene, ANY, proxied, "PROXY TCP4 127"),
      code: "PROXY_HEADER_INVALID",
      type: ProtocolError,
      op: "handshake",
      side: "remote",
    },
    {
      name: "a client that speaks no TLS",
      make: (scene) => toldBy(scene, "tls://127.0.0.1:0", { tls: server }, "GET / HTTP/1.1\r\n\r\n"),
      code: "TLS_FAILED",
      side: "remote",
      knows: ["local", "remote"],
      cause: true,
    },
  ]);
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

/** Connections against raw `node:net` and `node:tls`, as client and as server. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { after, describe, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import tls from "node:tls";
import {
  type AddressLike,
  connect,
  ConnectionError,
  listen,
  type StreamSocket,
  type TlsOptions,
} from "../../src/index.ts";
import { expectError } from "../../src/testing/expect-error.ts";
import { PatternCheck, patternBytes } from "../../src/testing/pattern.ts";
import { pending, sendPattern, textToEnd } from "../../src/testing/stream-check.ts";
import { makeIdentity, testCertificates } from "../certificates.ts";

const MEBIBYTE = 1_048_576;
const folder = mkdtempSync(join(tmpdir(), "zocalo-streams-"));
after(() => rmSync(folder, { recursive: true, force: true }));
let paths = 0;

const { authority, server: identity } = await testCertificates();

/** Both ends of one connection: ours, and a raw one. `beneath` is the raw one's socket of the kernel. */
interface Pair {
  readonly own: StreamSocket;
  readonly raw: Duplex;
  readonly beneath: net.Socket;
}

/** One kind of connection, and how both ends of one are made, with ours on this side. */
interface World {
  readonly name: string;
  readonly reset: boolean;
  /** TLS sends its own end, and a raw end has no half-close unless it is asked for. */
  readonly tls: boolean;
  readonly ownCalls: () => Promise<Pair>;
  readonly rawCalls: () => Promise<Pair>;
}

/** What is open; closed when the test is over. */
const opened: { close(): unknown }[] = [];

function quiet<T extends Duplex>(stream: T): T {
  stream.on("error", () => undefined);
  opened.push({ close: () => stream.destroy() });
  return stream;
}

function kept(socket: StreamSocket): StreamSocket {
  opened.push({ close: () => socket.abort() });
  return socket;
}

async function cleanup(): Promise<void> {
  for (const one of opened.splice(0).reverse()) await one.close();
}

/** A raw server that takes one connection. */
async function rawDoor(place: net.ListenOptions, tlsOptions?: tls.TlsOptions) {
  let came: (raw: Duplex) => void = () => undefined;
  const accepted = new Promise<Duplex>((resolve) => {
    came = resolve;
  });
  let beneath: net.Socket | undefined;
  const door =
    tlsOptions === undefined
      ? net.createServer({ allowHalfOpen: true }, (raw) => came(raw))
      : tls.createServer({ allowHalfOpen: true, ...tlsOptions }, (raw) => came(raw));
  door.on("tlsClientError", () => undefined);
  door.on("connection", (socket: net.Socket) => {
    beneath ??= socket;
    quiet(socket);
  });
  door.listen(place);
  await once(door, "listening");
  opened.push({ close: () => door.close() });
  const address = door.address() as net.AddressInfo | string;
  return {
    port: typeof address === "string" ? 0 : address.port,
    accepted: async () => {
      const raw = quiet(await accepted);
      return { raw, beneath: beneath as net.Socket };
    },
  };
}

async function plainOwnCalls(place: net.ListenOptions, address: (port: number) => AddressLike): Promise<Pair> {
  const door = await rawDoor(place);
  const [own, accepted] = await Promise.all([connect(address(door.port)), door.accepted()]);
  return { own: kept(own), ...accepted };
}

async function plainRawCalls(address: AddressLike): Promise<Pair> {
  await using door = await listen(address);
  const { path, port, host } = door.localAddress;
  const raw = quiet(net.connect({ ...(path === "" ? { host, port } : { path }), allowHalfOpen: true }));
  return { own: kept(await door.accept()), raw, beneath: raw };
}

async function tlsOwnCalls(own: TlsOptions = {}, raw: tls.TlsOptions = {}): Promise<Pair> {
  const door = await rawDoor({ port: 0, host: "127.0.0.1" }, { ...identity, ...raw });
  const options = { tls: { ca: authority.cert, ...own } };
  const [socket, accepted] = await Promise.all([connect(`tls://127.0.0.1:${door.port}`, options), door.accepted()]);
  return { own: kept(socket), ...accepted };
}

async function tlsRawCalls(own: TlsOptions = {}, options: tls.ConnectionOptions = {}): Promise<Pair> {
  await using door = await listen("tls://127.0.0.1:0", { tls: { ...identity, ...own } });
  const beneath = quiet(net.connect({ port: door.localAddress.port, host: "127.0.0.1", allowHalfOpen: true }));
  const raw = quiet(tls.connect({ socket: beneath, ca: authority.cert, servername: "localhost", ...options }));
  const accepted = pending(door.accept());
  await once(raw, "secureConnect");
  return { own: kept(await accepted), raw, beneath };
}

const newPath = (): string => join(folder, `${(paths += 1)}.sock`);

const worlds: readonly World[] = [
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
function arrivals(raw: Duplex): AsyncIterable<Buffer> {
  return raw.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
}

async function rawToEnd(raw: Duplex): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of arrivals(raw)) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** Sends the pattern with a raw stream, as fast as it takes it. */
async function rawPattern(raw: Duplex, byteCount: number): Promise<void> {
  for (let sent = 0; sent < byteCount; sent += 100_000) {
    const piece = patternBytes(sent, Math.min(100_000, byteCount - sent));
    if (!raw.write(piece)) await once(raw, "drain");
  }
  raw.end();
}

async function checkPattern(pieces: AsyncIterable<Uint8Array>, byteCount: number): Promise<void> {
  const received = new PatternCheck();
  for await (const piece of pieces) received.next(piece);
  assert.equal(received.bytes, byteCount);
}

for (const world of worlds) {
  for (const [role, open] of [
    ["calls", world.ownCalls],
    ["is called", world.rawCalls],
  ] as const) {
    describe(`${world.name}, ours ${role}`, () => {
      const check = (title: string, body: (pair: Pair) => Promise<void>): void => {
        test(title, async (t) => {
          t.after(cleanup);
          await body(await open());
        });
      };

      check("data both ways at once", async ({ own, raw }) => {
        const ours = async (): Promise<void> => {
          await sendPattern(own, 4 * MEBIBYTE, 77_777);
          await own.end();
        };
        await Promise.all([
          ours(),
          rawPattern(raw, 3 * MEBIBYTE),
          checkPattern(own, 3 * MEBIBYTE),
          checkPattern(arrivals(raw), 4 * MEBIBYTE),
        ]);
        assert.equal((await own.closed).how, "ended");
      });

      check("the raw side ends first, ours still answers", async ({ own, raw }) => {
        raw.end("question");
        assert.equal(await textToEnd(own), "question");
        const answer = rawToEnd(raw);
        await own.write("answer");
        await own.end();
        assert.equal(String(await answer), "answer");
        assert.equal((await own.closed).how, "ended");
      });

      check("our side ends first, the raw one still answers", async ({ own, raw }) => {
        const question = rawToEnd(raw);
        await own.write("question");
        await own.end();
        assert.equal(String(await question), "question");
        raw.end("answer");
        assert.equal(await textToEnd(own), "answer");
        assert.equal((await own.closed).how, "ended");
      });

      check("the last answer arrives whole although the question was never read", async ({ own, raw }) => {
        raw.write(Buffer.alloc(200_000));
        await own.readExactly(1);
        const answer = rawToEnd(raw);
        own.write(patternBytes(0, 200_000)).catch(() => undefined);
        const closing = own.close();
        assert.ok((await answer).equals(patternBytes(0, 200_000)));
        raw.end();
        await closing;
        assert.equal((await own.closed).how, "closed");
      });

      check("the raw side resets", async ({ own, raw, beneath }) => {
        await own.write("hola");
        await once(raw, "data");
        if (world.reset) beneath.resetAndDestroy();
        else beneath.destroy();
        if (!world.reset) {
          assert.equal(await own.read(), null);
          return;
        }
        await expectError(own.read(), { code: "CONNECTION_RESET", op: "read", side: "remote" });
        await expectError(own.write("x"), { code: "CONNECTION_RESET", op: "write", outcome: "none" });
        assert.equal((await own.closed).how, "reset");
      });

      check("the raw side resets behind bytes that nobody has read", async ({ own, raw, beneath }) => {
        await own.write("hola");
        await once(raw, "data");
        raw.write("the last words");
        while (own.bytesReceived < 14) await nextTurn();
        if (world.reset) beneath.resetAndDestroy();
        else beneath.destroy();
        // What had arrived stays readable, and the reset behind it is no end.
        const { how } = await (world.reset ? own.closed : Promise.resolve({ how: "none" }));
        assert.equal(String(await own.readExactly(14)), "the last words");
        if (!world.reset) assert.equal(await own.read(), null);
        else {
          assert.equal(how, "reset");
          await expectError(own.read(), { code: "CONNECTION_RESET", op: "read" });
        }
      });

      check("our side resets", async ({ own, raw, beneath }) => {
        const failed = new Promise<unknown>((resolve) => {
          for (const one of new Set([raw, beneath]))
            one.on("error", resolve).on("end", () => resolve({ code: "ended" }));
        });
        raw.resume().write("x");
        await own.readExactly(1);
        own.abort();
        assert.equal(((await failed) as { code: string }).code, world.reset ? "ECONNRESET" : "ended");
        assert.equal((await own.closed).how, "aborted");
      });

      if (world.tls) tlsChecks(check);
    });
  }
}

function tlsChecks(check: (title: string, body: (pair: Pair) => Promise<void>) => void): void {
  check(
    "the raw side ends TCP without close_notify: a plain end, that a protocol must notice",
    async ({ own, raw, beneath }) => {
      await own.write("hola");
      await once(raw, "data");
      raw.write("half a mess");
      while (own.bytesReceived < 11) await nextTurn();
      // Beneath the engine: FIN goes out, and no alert before it (RFC 8446 section 6.1).
      beneath.destroySoon();
      assert.equal(String(await own.readExactly(11)), "half a mess");
      const read = await own.read().catch((error: unknown) => (error as { code: string }).code);
      assert.ok(read === null || read === "CONNECTION_RESET", String(read));
    },
  );

  check("the raw side damages a record", async ({ own, raw, beneath }) => {
    await own.write("hola");
    await once(raw, "data");
    const reading = pending(own.read());
    // Past the engine, straight to the kernel: an application record of 32 bytes that no key fits.
    beneath.write(Buffer.concat([Buffer.from("1703030020", "hex"), Buffer.alloc(32, 7)]));
    await expectError(reading, { code: "TLS_FAILED", op: "read", side: "remote", type: ConnectionError });
    const { how, error } = await own.closed;
    assert.equal(how, "reset");
    assert.match(String(error?.detail), /^TLS broke off \([\w ]+\);/);
  });

  check("the raw side sends an alert", async ({ own, raw, beneath }) => {
    await own.write("hola");
    await once(raw, "data");
    const reading = pending(own.read());
    // Not encrypted, as from somebody in between: a fatal alert, "internal error" (RFC 8446 section 6).
    beneath.write(Buffer.from("15030300020250", "hex"));
    const { code } = await expectError(reading, { code: "TLS_FAILED", op: "read", type: ConnectionError });
    assert.equal((await own.closed).error?.code, code);
  });
}

describe("tls", () => {
  test("ALPN, SNI and the authority, with a raw server", async (t) => {
    t.after(cleanup);
    const special = await makeIdentity(authority, { name: "special", dns: ["special.example"] });
    const { own, raw } = await tlsOwnCalls(
      { alpn: ["plaza/2", "plaza/1"], servername: "special.example" },
      {
        ALPNProtocols: ["plaza/1"],
        SNICallback: (name, answer) => {
          assert.equal(name, "special.example");
          answer(null, tls.createSecureContext(special));
        },
      },
    );
    assert.deepEqual([own.tls?.alpn, own.tls?.authorized, own.tls?.servername], ["plaza/1", true, "special.example"]);
    assert.equal(own.tls?.peerCertificate?.subject, "special");
    assert.equal((raw as tls.TLSSocket).alpnProtocol, "plaza/1");
  });

  test("ALPN, SNI and the authority, with a raw client", async (t) => {
    t.after(cleanup);
    const special = await makeIdentity(authority, { name: "special", dns: ["special.example"] });
    const { own, raw } = await tlsRawCalls(
      { alpn: ["plaza/2", "plaza/1"], sni: { "special.example": special } },
      { ALPNProtocols: ["plaza/1"], servername: "special.example" },
    );
    assert.deepEqual([own.tls?.alpn, own.tls?.servername], ["plaza/1", "special.example"]);
    const socket = raw as tls.TLSSocket;
    assert.deepEqual([socket.authorized, socket.alpnProtocol], [true, "plaza/1"]);
    assert.equal(socket.getPeerCertificate().subject.CN, "special");
  });

  test("mutual TLS in both roles", async (t) => {
    t.after(cleanup);
    const client = await makeIdentity(authority, { name: "client" });
    const called = await tlsOwnCalls(client, { requestCert: true, ca: authority.cert });
    const shown = called.raw as tls.TLSSocket;
    assert.deepEqual([shown.authorized, shown.getPeerCertificate().subject.CN], [true, "client"]);
    const calling = await tlsRawCalls({ clientCertificate: "require", ca: authority.cert }, client);
    assert.deepEqual([calling.own.tls?.authorized, calling.own.tls?.peerCertificate?.subject], [true, "client"]);
  });

  test("a raw client without the certificate that is required is told so", async (t) => {
    t.after(cleanup);
    await using door = await listen("tls://127.0.0.1:0", {
      tls: { ...identity, clientCertificate: "require", ca: authority.cert },
    });
    const raw = quiet(tls.connect({ port: door.localAddress.port, host: "127.0.0.1", ca: authority.cert }));
    const [error] = (await once(raw.resume(), "error")) as [NodeJS.ErrnoException];
    assert.match(String(error.code), /CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE/);
    while (door.stats.refused.handshake === 0) await nextTurn();
    assert.deepEqual([door.stats.open, door.stats.accepted], [0, 0]);
  });

  test("TLS 1.2 in both roles, and what is older not at all", async (t) => {
    t.after(cleanup);
    const old = { maxVersion: "TLSv1.2" } as const;
    assert.equal((await tlsOwnCalls({}, old)).own.tls?.protocol, "TLSv1.2");
    assert.equal((await tlsRawCalls({}, old)).own.tls?.protocol, "TLSv1.2");
    const door = await rawDoor({ port: 0, host: "127.0.0.1" }, { ...identity, ...old });
    const tooOld = { ca: authority.cert, minVersion: "TLSv1.3" } as const;
    await expectError(connect(`tls://127.0.0.1:${door.port}`, { tls: tooOld }), { code: "TLS_FAILED", op: "connect" });
    const ancient = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
    await using own = await listen("tls://127.0.0.1:0", { tls: identity });
    const raw = quiet(tls.connect({ port: own.localAddress.port, host: "127.0.0.1", ca: authority.cert, ...ancient }));
    await once(raw, "error");
    while (own.stats.refused.handshake === 0) await nextTurn();
    assert.equal(own.stats.open, 0);
  });

  test("a raw client resumes its TLS session", async (t) => {
    t.after(cleanup);
    await using door = await listen("tls://127.0.0.1:0", { tls: identity });
    const options = { port: door.localAddress.port, host: "127.0.0.1", ca: authority.cert, servername: "localhost" };
    const first = quiet(tls.connect(options));
    const ticket = once(first, "session");
    const peer = kept(await door.accept());
    await peer.write("x");
    const [session] = (await ticket) as [Buffer];
    assert.equal(first.isSessionReused(), false);
    const again = quiet(tls.connect({ ...options, session }));
    const [resumed] = await Promise.all([door.accept(), once(again, "secureConnect")]);
    kept(resumed);
    assert.equal(again.isSessionReused(), true);
    again.write("hola");
    assert.equal(String(await resumed.readExactly(4)), "hola");
  });

  test("a TLS 1.2 client that renegotiates without end is cut", async (t) => {
    t.after(cleanup);
    const { own, raw } = await tlsRawCalls({}, { maxVersion: "TLSv1.2" });
    const client = raw as tls.TLSSocket;
    const cut = own.closed.then(() => false);
    const renegotiate = (): Promise<boolean> => {
      return new Promise((resolve) => client.renegotiate({}, (error) => resolve(error === null)));
    };
    let rounds = 0;
    while (rounds < 20 && (await Promise.race([renegotiate(), cut]))) rounds += 1;
    assert.equal(rounds, tls.CLIENT_RENEG_LIMIT);
    const { how, error } = await own.closed;
    assert.deepEqual([how, error?.code], ["reset", "TLS_FAILED"]);
  });
});

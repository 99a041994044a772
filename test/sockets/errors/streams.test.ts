/** The failures of a connection that exists: reading, writing, ending, messages, starting TLS. */

import { describe } from "node:test";
import { lines, lengthPrefix } from "../../../src/framing.ts";
import {
  ConnectError,
  ConnectionError,
  EndOfStreamError,
  pair,
  ProtocolError,
  type StreamSocket,
  UsageError,
} from "../../../src/index.ts";
import { testCertificates } from "../../fixtures/certificates.ts";
import { checkRows, ignored, type Row, type Scene, tcpPair } from "./row.ts";

const both = ["local", "remote"] as const;

/** A connection whose peer has reset it, once this side has seen that. */
async function resetByPeer(scene: Scene): Promise<StreamSocket> {
  const [call, peer] = await tcpPair(scene);
  peer.abort();
  await call.closed;
  return call;
}

/** A connection that this side has closed. */
async function closed(scene: Scene): Promise<StreamSocket> {
  const [call, peer] = await tcpPair(scene);
  await Promise.all([call.close(), peer.close()]);
  return call;
}

async function aborted(scene: Scene): Promise<StreamSocket> {
  const [call] = await tcpPair(scene);
  call.abort(new Error("no more"));
  return call;
}

/** A connection on which the peer has sent `text` and FIN. */
async function endedAfter(scene: Scene, text: string): Promise<StreamSocket> {
  const [call, peer] = await tcpPair(scene);
  await peer.write(text);
  await peer.end();
  return call;
}

type Call = (socket: StreamSocket) => Promise<unknown>;

const reads: Readonly<Record<string, Call>> = {
  read: (socket) => socket.read(),
  readInto: (socket) => socket.readInto(new Uint8Array(4)),
  readExactly: (socket) => socket.readExactly(4),
  readUntil: (socket) => socket.readUntil("\n"),
};
const writes: Readonly<Record<string, Call>> = {
  write: (socket) => socket.write("x"),
  end: (socket) => socket.end(),
};

describe("a connection that is lost", () => {
  const type = ConnectionError;
  for (const [op, call] of Object.entries({ ...reads, ...writes })) {
    const writing = op in writes;
    const rows: Row[] = [
      {
        name: `${op}: reset by the peer`,
        make: async (scene) => await call(await resetByPeer(scene)),
        code: "CONNECTION_RESET",
        type,
        op,
        side: "remote",
        knows: both,
        cause: true,
        ...(writing ? { outcome: "none" } : {}),
      },
      {
        name: `${op}: this side has aborted`,
        make: async (scene) => await call(await aborted(scene)),
        code: "CONNECTION_ABORTED",
        type,
        op,
        side: "local",
        knows: both,
        cause: true,
        ...(writing ? { outcome: "none" } : {}),
      },
    ];
    checkRows(rows);
  }
  for (const [op, call] of Object.entries({ ...reads, write: writes["write"] as Call })) {
    checkRows([
      {
        name: `${op}: this side has closed`,
        make: async (scene) => await call(await closed(scene)),
        code: "CLOSED",
        type,
        op,
        side: "local",
        knows: both,
      },
    ]);
  }
  for (const [op, call] of Object.entries(reads)) {
    checkRows([
      {
        name: `${op} that waits: reset by the peer`,
        make: async (scene) => {
          const [socket, peer] = await tcpPair(scene);
          const waiting = ignored(call(socket));
          peer.abort();
          return await waiting;
        },
        code: "CONNECTION_RESET",
        type,
        op,
        side: "remote",
        knows: both,
        cause: true,
      },
      {
        name: `${op} that waits: closed by this side`,
        make: async (scene) => {
          const [socket, peer] = await tcpPair(scene);
          const waiting = ignored(call(socket));
          await Promise.all([socket.close(), peer.close()]);
          return await waiting;
        },
        code: "CLOSED",
        type,
        op,
        side: "local",
        knows: both,
      },
    ]);
  }
});

describe("the end of the stream", () => {
  const expected = { code: "END_OF_STREAM", type: EndOfStreamError, side: "remote", knows: both } as const;
  checkRows([
    {
      name: "readExactly",
      op: "readExactly",
      make: async (s) => (await endedAfter(s, "ab")).readExactly(4),
      ...expected,
    },
    { name: "readUntil", op: "readUntil", make: async (s) => (await endedAfter(s, "ab")).readUntil("\n"), ...expected },
    {
      name: "write after end",
      make: async (scene) => {
        const [call] = await tcpPair(scene);
        await call.end();
        await call.write("x");
      },
      code: "CLOSED",
      type: ConnectionError,
      op: "write",
      side: "local",
      outcome: "none",
      knows: both,
    },
  ]);
});

describe("wrong options of a connection", () => {
  const wrong = (name: string, op: string, call: Call): Row => ({
    name,
    make: async (scene) => await call((await tcpPair(scene))[0]),
    code: "OPTION_INVALID",
    type: UsageError,
    op,
    side: "local",
    knows: both,
  });
  checkRows([
    wrong("read: maxBytes 0", "read", (socket) => socket.read({ maxBytes: 0 })),
    wrong("readInto: no bytes", "readInto", (socket) => socket.readInto("x" as never)),
    wrong("readExactly: half a byte", "readExactly", (socket) => socket.readExactly(0.5)),
    wrong("readExactly: fewer than none", "readExactly", (socket) => socket.readExactly(-1)),
    wrong("readUntil: no delimiter", "readUntil", (socket) => socket.readUntil("")),
    wrong("readUntil: delimiter over maxBytes", "readUntil", (socket) => socket.readUntil("\r\n", { maxBytes: 1 })),
    wrong("readUntil: a number", "readUntil", (socket) => socket.readUntil(10 as never)),
    { ...wrong("write: a number", "write", (socket) => socket.write(5 as never)), outcome: "none" },
    wrong("startTls: no certificate", "startTls", (socket) => socket.startTls({ role: "server" })),
    wrong("startTls: while a read waits", "startTls", (socket) => {
      void ignored(socket.read());
      return socket.startTls({ role: "client" });
    }),
    {
      name: "pair: no read-ahead",
      make: async () => pair({ limits: { maxReadAheadBytes: 0 } }),
      code: "OPTION_INVALID",
      type: UsageError,
      op: "pair",
      side: "local",
    },
  ]);
});

describe("too much", () => {
  checkRows([
    {
      name: "readUntil: no delimiter within maxBytes",
      make: async (scene) => (await endedAfter(scene, "abcdef")).readUntil("\n", { maxBytes: 4 }),
      code: "DELIMITER_NOT_FOUND",
      type: ProtocolError,
      op: "readUntil",
      side: "remote",
      knows: both,
    },
    {
      name: "write: the queue is full",
      make: async (scene) => {
        const [left, right] = pair({ limits: { maxWriteQueueBytes: 10 } });
        scene.keep(left);
        scene.keep(right);
        void ignored(left.write(new Uint8Array(1_000_000)));
        await left.write("x");
      },
      code: "QUEUE_FULL",
      type: UsageError,
      op: "write",
      side: "local",
      outcome: "none",
      knows: both,
    },
    {
      name: "write that has begun: reset by the peer",
      make: async (scene) => {
        const [call, peer] = await tcpPair(scene);
        const writing = ignored(call.write(new Uint8Array(64_000_000)));
        peer.abort();
        await writing;
      },
      code: "CONNECTION_RESET",
      type: ConnectionError,
      op: "write",
      outcome: "unknown",
      knows: both,
      cause: true,
    },
    {
      name: "close: the peer takes nothing",
      make: async (scene) => {
        const [left, right] = pair();
        scene.keep(right);
        void ignored(left.write(new Uint8Array(1_000_000)));
        await left.close({ lingerMs: 1 });
      },
      code: "TIMEOUT",
      op: "close",
      outcome: "unknown",
      knows: both,
    },
  ]);
});

describe("messages", () => {
  // What a codec refuses names the codec's operation (encode, decode), so `op` is left open in those rows.
  const text = async (scene: Scene) => (await tcpPair(scene))[0].framed(lines());
  checkRows([
    {
      name: "send: more than a message may be",
      make: async (scene) => (await tcpPair(scene))[0].framed(lines({ maxLineBytes: 2 })).send("abc"),
      code: "FRAME_TOO_LONG",
      type: UsageError,
      side: "local",
      outcome: "none",
    },
    {
      name: "receive: more than a message may be",
      make: async (scene) => (await endedAfter(scene, "abcdef\n")).framed(lines({ maxLineBytes: 2 })).receive(),
      code: "FRAME_TOO_LONG",
      type: ProtocolError,
      side: "remote",
    },
    {
      name: "receive: the stream ends in a message",
      make: async (scene) => (await endedAfter(scene, "\0\0")).framed(lengthPrefix()).receive(),
      code: "FRAME_TRUNCATED",
      type: ProtocolError,
      side: "remote",
    },
    {
      name: "receive: reset by the peer",
      make: async (scene) => (await resetByPeer(scene)).framed(lines()).receive(),
      code: "CONNECTION_RESET",
      type: ConnectionError,
      cause: true,
      knows: both,
    },
    {
      name: "send: this side has closed",
      make: async (scene) => (await closed(scene)).framed(lines()).send("x"),
      code: "CLOSED",
      type: ConnectionError,
      op: "send",
      outcome: "none",
      knows: both,
    },
    {
      name: "a read beneath a framed reader",
      make: async (scene) => (await text(scene)).socket.read(),
      code: "READER_TAKEN",
      type: UsageError,
      op: "read",
      side: "local",
      knows: both,
    },
  ]);
});

describe("startTls", () => {
  checkRows([
    {
      name: "the peer does not speak TLS",
      make: async (scene) => {
        const [call, peer] = await tcpPair(scene);
        const upgrading = ignored(call.startTls({ role: "client" }));
        await peer.write("220 no such thing\r\n".repeat(20));
        await upgrading;
      },
      code: "TLS_FAILED",
      type: ConnectError,
      op: "startTls",
      side: "remote",
      cause: true,
      knows: both,
    },
    {
      name: "the peer hangs up",
      make: async (scene) => {
        const [call, peer] = await tcpPair(scene);
        const upgrading = ignored(call.startTls({ role: "client" }));
        await peer.end();
        await upgrading;
      },
      code: "TLS_FAILED",
      type: ConnectError,
      op: "startTls",
      side: "remote",
      knows: both,
    },
    {
      name: "a certificate of nobody",
      make: async (scene) => {
        const [call, peer] = await tcpPair(scene);
        const { server } = await testCertificates();
        void ignored(peer.startTls({ role: "server", ...server }));
        await call.startTls({ role: "client", servername: "localhost" });
      },
      code: "CERTIFICATE_UNTRUSTED",
      type: ConnectError,
      op: "startTls",
      cause: true,
      knows: both,
    },
  ]);
});

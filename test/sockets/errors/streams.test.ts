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
import { failure, ignored, type Scene, tcpPair } from "./row.ts";

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
  peek: (socket) => socket.peek(4),
  expect: (socket) => socket.expect(/^220 /),
  readUntil: (socket) => socket.readUntil("\n"),
};
const writes: Readonly<Record<string, Call>> = {
  write: (socket) => socket.write("x"),
  end: (socket) => socket.end(),
};

describe("a connection that is lost", () => {
  const type = ConnectionError;
  const reset = { code: "CONNECTION_RESET", type, side: "remote", knows: both, cause: true } as const;
  const aborting = { code: "CONNECTION_ABORTED", type, side: "local", knows: both, cause: true } as const;
  const closing = { code: "CLOSED", type, side: "local", knows: both } as const;
  for (const [op, call] of Object.entries({ ...reads, ...writes })) {
    const more = { op, ...(op in writes ? { outcome: "none" as const } : {}) };
    failure({ ...reset, ...more }).of({
      [`${op}: reset by the peer`]: async (scene) => await call(await resetByPeer(scene)),
    });
    failure({ ...aborting, ...more }).of({
      [`${op}: this side has aborted`]: async (scene) => await call(await aborted(scene)),
    });
    if (op === "end") continue;
    failure({ ...closing, op }).of({
      [`${op}: this side has closed`]: async (scene) => await call(await closed(scene)),
    });
  }
  for (const [op, call] of Object.entries(reads)) {
    const waits = (lose: (socket: StreamSocket, peer: StreamSocket) => unknown) => async (scene: Scene) => {
      const [socket, peer] = await tcpPair(scene);
      const waiting = ignored(call(socket));
      await lose(socket, peer);
      return await waiting;
    };
    failure({ ...reset, op }).of({ [`${op} that waits: reset by the peer`]: waits((_, peer) => peer.abort()) });
    failure({ ...closing, op }).of({
      [`${op} that waits: closed by this side`]: waits((socket, peer) => Promise.all([socket.close(), peer.close()])),
    });
  }
});

describe("the end of the stream", () => {
  const ended = { code: "END_OF_STREAM", type: EndOfStreamError, side: "remote", knows: both } as const;
  failure({ ...ended, op: "readExactly" }).of({
    readExactly: async (scene) => (await endedAfter(scene, "ab")).readExactly(4),
  });
  failure({ ...ended, op: "readUntil" }).of({
    readUntil: async (scene) => (await endedAfter(scene, "ab")).readUntil("\n"),
  });
  failure({ code: "CLOSED", type: ConnectionError, op: "write", side: "local", outcome: "none", knows: both }).of({
    async "write after end"(scene) {
      const [call] = await tcpPair(scene);
      await call.end();
      await call.write("x");
    },
  });
});

describe("wrong options of a connection", () => {
  const wrong = { code: "OPTION_INVALID", type: UsageError, side: "local" } as const;
  /** The operation is named at the beginning of each title. */
  const calls: Readonly<Record<string, Call>> = {
    "read: maxBytes 0": (socket) => socket.read({ maxBytes: 0 }),
    "readInto: no bytes": (socket) => socket.readInto("x" as never),
    "readExactly: half a byte": (socket) => socket.readExactly(0.5),
    "readExactly: fewer than none": (socket) => socket.readExactly(-1),
    "peek: half a byte": (socket) => socket.peek(0.5),
    "peek: no such option": (socket) => socket.peek({ least: 4 } as never),
    "expect: a text": (socket) => socket.expect("220" as never),
    "expect: maxBytes 0": (socket) => socket.expect(/^220 /, { maxBytes: 0 }),
    "unread: more than was read": async (socket) => socket.unread(Buffer.from("x")),
    "readUntil: no delimiter": (socket) => socket.readUntil(""),
    "readUntil: delimiter over maxBytes": (socket) => socket.readUntil("\r\n", { maxBytes: 1 }),
    "readUntil: a number": (socket) => socket.readUntil(10 as never),
    "write: a number": (socket) => socket.write(5 as never),
    "startTls: no certificate": (socket) => socket.startTls({ role: "server" }),
    "startTls: while a read waits": (socket) => {
      void ignored(socket.read());
      return socket.startTls({ role: "client" });
    },
  };
  for (const [title, call] of Object.entries(calls)) {
    const op = title.slice(0, title.indexOf(":"));
    const outcome = op === "write" ? { outcome: "none" as const } : {};
    failure({ ...wrong, op, knows: both, ...outcome }).of({
      [title]: async (scene) => await call((await tcpPair(scene))[0]),
    });
  }
  failure({ ...wrong, op: "pair" }).of({
    "pair: no read-ahead": async () => pair({ limits: { maxReadAheadBytes: 0 } }),
  });
});

describe("too much", () => {
  failure({ code: "DELIMITER_NOT_FOUND", type: ProtocolError, op: "readUntil", side: "remote", knows: both }).of({
    "readUntil: no delimiter within maxBytes": async (scene) =>
      (await endedAfter(scene, "abcdef")).readUntil("\n", { maxBytes: 4 }),
  });
  failure({ code: "QUEUE_FULL", type: UsageError, op: "write", side: "local", outcome: "none", knows: both }).of({
    async "write: the queue is full"(scene) {
      const [left, right] = pair({ limits: { maxWriteQueueBytes: 10 } });
      scene.keep(left);
      scene.keep(right);
      void ignored(left.write(new Uint8Array(1_000_000)));
      await left.write("x");
    },
  });
  const unknown = { outcome: "unknown", knows: both } as const;
  failure({ code: "CONNECTION_RESET", type: ConnectionError, op: "write", ...unknown, cause: true }).of({
    async "write that has begun: reset by the peer"(scene) {
      const [call, peer] = await tcpPair(scene);
      const writing = ignored(call.write(new Uint8Array(64_000_000)));
      peer.abort();
      await writing;
    },
  });
  failure({ code: "TIMEOUT", op: "close", ...unknown }).of({
    async "close: the peer takes nothing"(scene) {
      const [left, right] = pair();
      scene.keep(right);
      void ignored(left.write(new Uint8Array(1_000_000)));
      await left.close({ lingerMs: 1 });
    },
  });
});

describe("messages", () => {
  const messages = async (socket: Promise<StreamSocket>, options?: { maxLineBytes: number }) =>
    (await socket).framed(lines(options));
  const fresh = async (scene: Scene) => (await tcpPair(scene))[0];
  // What a codec refuses names the codec's operation (encode, decode), so `op` is left open in those rows.
  failure({ code: "FRAME_TOO_LONG", type: UsageError, side: "local", outcome: "none" }).of({
    "send: more than a message may be": async (scene) =>
      (await messages(fresh(scene), { maxLineBytes: 2 })).send("abc"),
  });
  failure({ code: "FRAME_TOO_LONG", type: ProtocolError, side: "remote" }).of({
    "receive: more than a message may be": async (scene) =>
      (await messages(endedAfter(scene, "abcdef\n"), { maxLineBytes: 2 })).receive(),
  });
  failure({ code: "FRAME_TRUNCATED", type: ProtocolError, side: "remote" }).of({
    "receive: the stream ends in a message": async (scene) =>
      (await endedAfter(scene, "\0\0")).framed(lengthPrefix()).receive(),
  });
  failure({ code: "CONNECTION_RESET", type: ConnectionError, cause: true, knows: both }).of({
    "receive: reset by the peer": async (scene) => (await messages(resetByPeer(scene))).receive(),
  });
  failure({ code: "CLOSED", type: ConnectionError, op: "send", outcome: "none", knows: both }).of({
    "send: this side has closed": async (scene) => (await messages(closed(scene))).send("x"),
  });
  failure({ code: "READER_TAKEN", type: UsageError, op: "read", side: "local", knows: both }).of({
    "a read beneath a framed reader": async (scene) => (await messages(fresh(scene))).socket.read(),
  });
});

describe("startTls", () => {
  const failed = { type: ConnectError, op: "startTls", knows: both } as const;
  /** A client begins, and its peer does something else. */
  const against = (act: (peer: StreamSocket) => Promise<void>) => async (scene: Scene) => {
    const [call, peer] = await tcpPair(scene);
    const upgrading = ignored(call.startTls({ role: "client" }));
    await act(peer);
    await upgrading;
  };
  failure({ ...failed, code: "TLS_FAILED", side: "remote", cause: true }).of({
    "the peer does not speak TLS": against((peer) => peer.write("220 no such thing\r\n".repeat(20))),
  });
  failure({ ...failed, code: "TLS_FAILED", side: "remote" }).of({ "the peer hangs up": against((peer) => peer.end()) });
  failure({ ...failed, code: "CERTIFICATE_UNTRUSTED", cause: true }).of({
    async "a certificate of nobody"(scene) {
      const [call, peer] = await tcpPair(scene);
      const { server } = await testCertificates();
      void ignored(peer.startTls({ role: "server", ...server }));
      await call.startTls({ role: "client", servername: "localhost" });
    },
  });
});

/** The listener suite: one piece to many connections (docs/semantics.md, rule A13). */

import assert from "node:assert/strict";
import type { StreamBroadcastOptions, StreamBroadcastReport } from "../../io/stream/broadcast.ts";
import type { Peer, ServeOptions, Server } from "../../io/listener/public.ts";
import type { StreamSocket } from "../../io/stream/public.ts";
import { expectError } from "../expect-error.ts";
import { signal } from "../stream/check.ts";
import type { ListenerChecks, ListenerScene } from "./scene.ts";

/** Larger than what a member that reads nothing takes in one go. */
const PIECE_BYTES = 200_000;
const MOST_PIECES = 1_000;
/** What follows each piece to the member that reads. */
const MARK = Buffer.from("|");
/** No member is lost because a test takes long. */
const PATIENT: ServeOptions = { timeouts: { idleMs: Infinity, writeStallMs: Infinity } };

interface Member {
  readonly peer: Peer;
  readonly called: StreamSocket;
}

/** A server, and so many members; each handler waits until its connection is over. */
async function club(scene: ListenerScene, count: number): Promise<{ readonly server: Server; readonly all: Member[] }> {
  let arrived = signal<Peer>();
  const over = async (peer: Peer): Promise<void> => {
    await Promise.all([peer.write("b"), peer.readExactly(1)]);
    arrived.resolve(peer);
    await peer.closed;
  };
  const server = await scene.serve(over, PATIENT);
  const all: Member[] = [];
  while (all.length < count) {
    arrived = signal<Peer>();
    const called = await scene.connect(server);
    await Promise.all([called.write("a"), called.readExactly(1)]);
    all.push({ peer: await arrived.promise, called });
  }
  return { server, all };
}

/**
 * Sends pieces to all while only `fast` reads, until a report says that the other was too slow. Answers with it, and how many pieces
 * were sent.
 */
async function untilSlow(
  server: Server,
  fast: Member,
  options: StreamBroadcastOptions,
): Promise<{ readonly report: StreamBroadcastReport; readonly pieces: number }> {
  for (let pieces = 1; pieces <= MOST_PIECES; pieces += 1) {
    const piece = Buffer.alloc(PIECE_BYTES, pieces);
    const report = await server.broadcast(piece, options);
    piece.fill(0); // it is the caller's again
    // A reader can be ahead of the word that the kernel has what it read, which a write behind it waits for: `fast` is never slow.
    const [got] = await Promise.all([fast.called.readExactly(PIECE_BYTES + 1), fast.peer.write(MARK)]);
    assert.deepEqual(got, Buffer.concat([Buffer.alloc(PIECE_BYTES, pieces), MARK]));
    if (report.dropped + report.disconnected > 0) return { report, pieces };
    assert.equal(report.sent + report.waiting, 2);
  }
  throw new Error(`nobody was slow after ${MOST_PIECES} pieces`);
}

/** `Server.broadcast`. */
export const broadcastChecks: ListenerChecks = {
  async "a broadcast reaches all, but whom it excepts; each connection once"(scene) {
    const { server, all } = await club(scene, 3);
    const [one, two] = all as [Member, Member];
    const framed = { socket: two.peer };
    const sizes = [
      await server.broadcast("all\n"),
      await server.broadcast(["but ", Buffer.from("one\n")], { except: one.peer }),
      await server.broadcast("three\n", { except: [one.peer, framed] }),
      await server.broadcast("two\n", { to: new Set([two.peer, framed]), slow: "wait" }),
      await server.broadcast("", { slow: "drop" }),
    ].map(({ sent, waiting, dropped, disconnected }) => [sent + waiting, dropped, disconnected]);
    assert.deepEqual(
      sizes,
      [3, 2, 1, 1, 3].map((count) => [count, 0, 0]),
    );
    const said = ["all\n", "all\nbut one\ntwo\n", "all\nbut one\nthree\n"];
    for (const [index, { called }] of all.entries()) {
      assert.equal(String(await called.readExactly((said[index] as string).length)), said[index]);
    }
  },

  async "drop: a slow member misses whole pieces, and the others none"(scene) {
    const { server, all } = await club(scene, 2);
    const [slow, fast] = all as [Member, Member];
    const { pieces } = await untilSlow(server, fast, { slow: "drop" });
    for (let piece = 1; piece < pieces; piece += 1) {
      assert.deepEqual(await slow.called.readExactly(PIECE_BYTES), Buffer.alloc(PIECE_BYTES, piece));
    }
    const end = await server.broadcast("the end", { slow: "drop" });
    assert.equal(end.sent + end.waiting, 2);
    for (const { called } of all) assert.equal(String(await called.readExactly(7)), "the end");
  },

  async "disconnect: a slow member is reset, its handler learns why, and the others miss nothing"(scene) {
    const { server, all } = await club(scene, 2);
    const [slow, fast] = all as [Member, Member];
    const reading = expectError(slow.peer.read(), { code: "WRITE_STALLED", op: "read" });
    const { report } = await untilSlow(server, fast, {});
    assert.equal(report.disconnected, 1);
    await reading;
    const { how, error } = await slow.peer.closed;
    assert.deepEqual([how, error?.code, error?.side], ["timeout", "WRITE_STALLED", "remote"]);
    assert.match(error?.detail ?? "", /maxWaitingBytes/);
    const { sent, waiting, dropped, disconnected } = await server.broadcast("the end");
    assert.deepEqual([sent + waiting, dropped, disconnected], [1, 0, 0]);
    assert.equal(String(await fast.called.readExactly(7)), "the end");
  },

  async "nobody is slow for whom nothing waits, however large the piece and small the bound"(scene) {
    const { server, all } = await club(scene, 2);
    const [slow, fast] = all as [Member, Member];
    const { report, pieces } = await untilSlow(server, fast, { slow: "drop", maxWaitingBytes: 0 });
    assert.equal(report.dropped, 1);
    assert.ok(pieces > 1);
    assert.equal(slow.peer.signal.aborted, false);
  },

  async "wait: resolves when the slow member reads on, and keeps no other from it"(scene) {
    const { server, all } = await club(scene, 2);
    const [slow, fast] = all as [Member, Member];
    await untilSlow(server, fast, { slow: "drop" });
    let isOver = false;
    const waiting = server.broadcast("wait for me", { slow: "wait" }).finally(() => {
      isOver = true;
    });
    assert.equal(String(await fast.called.readExactly(11)), "wait for me");
    assert.equal(isOver, false);
    let last = "";
    while (!last.endsWith("wait for me")) last = last.slice(-20) + String(await slow.called.read());
    assert.deepEqual(await waiting, { sent: 2, waiting: 0, dropped: 0, disconnected: 0 });
  },

  async "wait: time and signal take the piece back from who has not begun it"(scene) {
    const { server, all } = await club(scene, 2);
    const [slow, fast] = all as [Member, Member];
    const { pieces } = await untilSlow(server, fast, { slow: "drop" });
    const stop = new AbortController();
    for (const end of [{ timeoutMs: 1 }, { signal: stop.signal }]) {
      const waiting = server.broadcast("given up", { slow: "wait", ...end });
      assert.equal(String(await fast.called.readExactly(8)), "given up");
      if (end.signal !== undefined) stop.abort(new Error("enough"));
      const { sent, dropped } = await waiting;
      assert.deepEqual([sent, dropped], [1, 1]);
    }
    await slow.called.readExactly((pieces - 1) * PIECE_BYTES);
    await server.broadcast("the end");
    assert.equal(String(await slow.called.readExactly(7)), "the end");
  },

  async "what is aborted before it begins sends nothing; a member that is lost is no error"(scene) {
    const { server, all } = await club(scene, 2);
    const [slow, fast] = all as [Member, Member];
    const reason = new Error("no");
    await assert.rejects(server.broadcast("x", { signal: AbortSignal.abort(reason) }), reason);
    await expectError(server.broadcast("x", { timeoutMs: 0 }), { code: "TIMEOUT", op: "broadcast" });
    await untilSlow(server, fast, { slow: "drop" });
    const waiting = server.broadcast("x", { slow: "wait" });
    slow.peer.abort();
    assert.deepEqual(await waiting, { sent: 1, waiting: 0, dropped: 1, disconnected: 0 });
    const { sent, dropped } = await server.broadcast("x", { slow: "wait" });
    assert.deepEqual([sent, dropped], [1, 0]);
    assert.equal(String(await fast.called.readExactly(2)), "xx");
  },
};

import assert from "node:assert/strict";
import { test } from "node:test";
import { pair, type StreamSocket, ZocaloError } from "../../index.ts";
import { OutputClosed } from "../terminal/exit-codes.ts";
import { join, type JoinOptions, type JoinReport } from "./join.ts";
import type { DataInput } from "../terminal/standard-streams.ts";

/** An stdin that is written to by the test. */
class TestInput implements DataInput {
  readonly isTerminal: boolean;
  readonly #pieces: (Buffer | Error | null)[] = [];
  #wake: (() => void) | undefined;

  constructor(isTerminal = false) {
    this.isTerminal = isTerminal;
  }

  give(piece: string | Error | null): this {
    this.#pieces.push(typeof piece === "string" ? Buffer.from(piece) : piece);
    this.#wake?.();
    return this;
  }

  async read(signal: AbortSignal): Promise<Buffer | null> {
    for (;;) {
      signal.throwIfAborted();
      const piece = this.#pieces[0];
      if (piece instanceof Error) throw piece;
      if (piece !== undefined) return piece === null ? null : (this.#pieces.shift() as Buffer);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
    }
  }
}

interface Joined {
  readonly peer: StreamSocket;
  readonly done: Promise<JoinReport>;
  readonly stop: AbortController;
  /** Everything that went to stdout. */
  readonly shown: () => string;
}

function joined(input: DataInput, options: Partial<JoinOptions> = {}, write?: () => Promise<void>): Joined {
  const [socket, peer] = pair();
  const stop = new AbortController();
  let text = "";
  const output = {
    write: async (data: string | Uint8Array): Promise<void> => {
      await write?.();
      text += Buffer.from(data).toString();
    },
  };
  const done = join(socket, input, output, { emptyInput: "end", ...options }, stop.signal);
  done.catch(() => undefined);
  return { peer, done, stop, shown: () => text };
}

test("the end of stdin half-closes; the end of the peer is the end", async () => {
  const { peer, done, shown } = joined(new TestInput().give("question").give(null));
  assert.equal(String(await peer.readExactly(8)), "question");
  assert.equal(await peer.read(), null);
  await peer.write("answer");
  await peer.end();
  assert.deepEqual(await done, { inputEnded: true });
  assert.equal(shown(), "answer");
});

test("when the peer has ended, what stdin still gives is sent", async () => {
  const input = new TestInput();
  const { peer, done } = joined(input);
  await peer.end();
  input.give("late").give(null);
  assert.equal(String(await peer.readExactly(4)), "late");
  assert.deepEqual(await done, { inputEnded: true });
});

test("when the peer has ended, a silent stdin is not waited for", async () => {
  for (const isTerminal of [true, false]) {
    const { peer, done } = joined(new TestInput(isTerminal));
    await peer.end();
    assert.deepEqual(await done, { inputEnded: false });
  }
});

test("a server whose stdin was empty from the start leaves the end to its peer", async () => {
  const { peer, done, shown } = joined(new TestInput().give(null), { emptyInput: "wait" });
  await peer.write("long");
  await peer.end();
  assert.deepEqual(await done, { inputEnded: true });
  assert.equal(shown(), "long");
});

test("crlf and hex", async () => {
  const { peer, done, shown } = joined(new TestInput().give("a\n").give(null), { crlf: true, hex: true });
  assert.equal(String(await peer.readExactly(3)), "a\r\n");
  await peer.write("b");
  await peer.end();
  await done;
  assert.match(shown(), /^00000000  62 +\|b\|\n$/);
});

test("a lost connection shows what had arrived, then fails", async () => {
  const input = new TestInput();
  const { peer, done, shown } = joined(input);
  await peer.write("before");
  input.give("x");
  await peer.readExactly(1);
  peer.abort();
  await assert.rejects(done, (error: unknown) => error instanceof ZocaloError && error.code === "CONNECTION_RESET");
  assert.equal(shown(), "before");
});

test("when stdout is closed the connection is aborted", async () => {
  const { peer, done } = joined(new TestInput(), {}, () => Promise.reject(new OutputClosed()));
  await peer.write("x");
  await assert.rejects(done, OutputClosed);
  await assert.rejects(peer.read(), { code: "CONNECTION_RESET" });
});

test("when stdin breaks the connection is aborted, and the reason is told", async () => {
  const { peer, done } = joined(new TestInput().give(new Error("stdin broke")));
  await assert.rejects(done, { message: "stdin broke" });
  await assert.rejects(peer.read(), { code: "CONNECTION_RESET" });
});

test("a stop ends the connection gracefully, with the reason of the stop", async () => {
  const { peer, done, stop } = joined(new TestInput());
  stop.abort(new Error("enough"));
  assert.equal(await peer.read(), null);
  await peer.end();
  await assert.rejects(done, { message: "enough" });
});

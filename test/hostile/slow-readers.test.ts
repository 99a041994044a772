/** Peers that read slowly what a server has written: it closes when they have it, and not for ever. The time is moved by hand. */

import assert from "node:assert/strict";
import type { Duplex } from "node:stream";
import { test } from "node:test";
import { nodeNetwork, type Peer, type ZocaloError } from "../../src/index.ts";
import { ManualClock } from "../../src/testing.ts";
import { gate } from "../fixtures/gate.ts";
import { Listener, kinds } from "./listeners.ts";
import { nothingEscapes } from "./escapes.ts";

const STEP_BYTES = 65_536;
/** A kernel may take more in one go. */
const PORTION_BYTES = 1_048_576;
const ANSWER_BYTES = 15_728_640;

nothingEscapes();

/** Takes bytes when it is told to. */
class SlowReader {
  bytes = 0;
  ended = false;
  error: unknown;
  readonly #stream: Duplex;
  readonly #clock: ManualClock;
  #wanted = 0;

  constructor(stream: Duplex, clock: ManualClock) {
    this.#stream = stream;
    this.#clock = clock;
    stream.on("data", (bytes: Buffer) => {
      this.bytes += bytes.length;
      if (this.bytes >= this.#wanted) stream.pause();
    });
    stream.on("end", () => {
      this.ended = true;
    });
    stream.on("error", (error) => {
      this.error = error;
    });
    stream.pause();
  }

  get isOver(): boolean {
    return this.ended || this.error !== undefined;
  }

  async take(bytes: number): Promise<void> {
    this.#wanted = this.bytes + bytes;
    this.#stream.resume();
    while (this.bytes < this.#wanted && !this.isOver) await this.#clock.turn();
  }
}

/** A server whose handler writes a long answer, does not wait for it, and does what `finish` says. */
async function answering(kind: (typeof kinds)[number], finish: (peer: Peer) => unknown = () => undefined) {
  const clock = new ManualClock(nodeNetwork.clock);
  const network = { ...nodeNetwork, clock };
  const found = gate<Peer>();
  const handler = (peer: Peer): unknown => {
    peer.write(Buffer.alloc(ANSWER_BYTES)).catch(() => undefined);
    found.open(peer);
    return finish(peer);
  };
  const listener = await Listener.open(kind, { network, handler, timeouts: { idleMs: Infinity } });
  const { stream } = await listener.enter();
  const reader = new SlowReader(stream, clock);
  const peer = await found.opened;
  /** Reads until the kernel of the server has taken more, or the end. */
  const readOn = async (): Promise<void> => {
    const { bytesSent } = peer;
    while (peer.bytesSent < bytesSent + PORTION_BYTES && !reader.isOver) await reader.take(STEP_BYTES);
  };
  return { clock, listener, stream, reader, readOn };
}

for (const kind of kinds) {
  test(`${kind.name}: who reads slowly gets the whole answer of a handler that has returned`, async () => {
    const { clock, listener, stream, reader, readOn } = await answering(kind);
    let waitedMs = 0;
    while (!reader.isOver) {
      await readOn();
      // Shorter than the 10 seconds in which something has to move.
      await clock.advance(9900);
      waitedMs += 9900;
    }
    assert.deepEqual([reader.error, reader.bytes], [undefined, ANSWER_BYTES]);
    assert.ok(waitedMs > 20_000);
    assert.deepEqual(listener.thrown, []);
    stream.destroy();
    await listener.closes();
  });

  test(`${kind.name}: who reads slowly does not hold a closing connection for longer than maxLingerMs`, async () => {
    const closing = (peer: Peer): Promise<void> => peer.close({ maxLingerMs: 12_000 });
    const { clock, listener, stream, readOn } = await answering(kind, closing);
    const startedAt = clock.now();
    while (listener.server.stats.open > 0) {
      await readOn();
      await clock.advance(4000);
    }
    assert.equal(clock.now() - startedAt, 12_000);
    assert.deepEqual(
      listener.thrown.map((error) => (error as ZocaloError).code),
      ["TIMEOUT"],
    );
    stream.destroy();
    await listener.closes();
  });

  test(`${kind.name}: close waits for who reads slowly, within its time, and says who did not get all`, async () => {
    for (const [timeoutMs, expected] of [
      [600_000, { finished: 1, cut: 0 }],
      [5000, { finished: 0, cut: 1 }],
    ] as const) {
      const { clock, listener, stream, reader, readOn } = await answering(kind);
      const startedAt = clock.now();
      const draining = listener.server.close({ timeoutMs });
      while (listener.server.stats.open > 0) {
        await readOn();
        if (reader.ended) stream.end();
        await clock.advance(1000);
      }
      const { finished, cut } = await draining;
      assert.deepEqual({ finished, cut }, expected);
      assert.ok(clock.now() - startedAt <= timeoutMs);
      stream.destroy();
    }
  });
}

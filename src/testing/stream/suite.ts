/** What every connection must do, whatever carries it. The rules are those of `StreamSocket`. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ANYTHING, refuseUnknown } from "../../core/options/check-options.ts";
import type { StreamTraits } from "../../io/network/network.ts";
import type { StreamSocket } from "../../io/stream/public.ts";
import { abortChecks, resetChecks } from "./aborts.ts";
import { bridgeChecks } from "./bridges.ts";
import { cancelChecks } from "./cancel.ts";
import type { StreamChecks } from "./check.ts";
import { concurrencyChecks } from "./concurrency.ts";
import { endChecks, halfCloseChecks } from "./ends.ts";
import { loopChecks } from "./loops.ts";
import { readChecks } from "./reads.ts";
import { transferChecks, writeChecks } from "./transfer.ts";

/** A test that takes longer hangs: it fails, and those behind it run. */
const HANG_MS = 60_000;

/** A connected pair, made for one test. */
export interface OpenedStreams {
  /** Both ends, with default options. What one writes, the other reads. */
  readonly sockets: readonly [StreamSocket, StreamSocket];
  /** Releases what was opened beside the two ends, which the suite aborts itself. */
  readonly cleanup: () => Promise<void>;
}

/** Where tests run with connected pairs that live nowhere else: in a simulated world. */
export interface StreamWorld {
  /**
   * Runs a test: makes a fresh connected pair with default options, calls `body` with it, and releases what it opened beside
   * the two ends, which the suite aborts itself. It may do all of that twice, to compare the runs.
   */
  run(body: (sockets: OpenedStreams["sockets"]) => Promise<void>): Promise<void>;
}

/** What {@link streamSuite} has to know. */
export interface StreamSuiteOptions {
  /** What this kind of stream can promise. */
  readonly traits: StreamTraits;
}

/**
 * Puts an implementation of `StreamSocket` through everything that the contract promises: transfer, reads, writes,
 * cancellation, concurrency, the ways to end, and the bridges to Web Streams and Node streams. Registers a `describe` block
 * with `node:test`; call it in a test file.
 *
 * @param name - Names the block.
 * @param streams - Makes a fresh connected pair, and is called once for each test; or where the tests run.
 *
 * @example
 * ```ts
 * import { pair } from "zocalo";
 * import { streamSuite } from "zocalo/testing";
 * streamSuite("pair", async () => ({ sockets: pair(), cleanup: async () => undefined }), {
 *   traits: { reset: true, halfClose: true },
 * });
 * ```
 */
export function streamSuite(
  name: string,
  streams: (() => Promise<OpenedStreams>) | StreamWorld,
  options: StreamSuiteOptions,
): void {
  refuseUnknown({ op: "streamSuite" }, options, { traits: ANYTHING });
  const world = typeof streams === "function" ? here(streams) : streams;
  const { traits } = options;
  const checks = [
    transferChecks,
    readChecks,
    loopChecks,
    writeChecks,
    cancelChecks,
    concurrencyChecks,
    endChecks,
    ...(traits.halfClose ? [halfCloseChecks] : []),
    abortChecks,
    ...(traits.reset ? [resetChecks] : []),
    bridgeChecks,
    propertyChecks,
  ];
  void describe(name, () => {
    for (const [title, body] of checks.flatMap((one) => Object.entries(one))) {
      void it(title, { timeout: HANG_MS }, () =>
        world.run(async ([a, b]) => {
          try {
            await body(a, b, traits);
          } finally {
            a.abort();
            b.abort();
          }
        }),
      );
    }
  });
}

/** The test itself opens the pair. */
function here(open: () => Promise<OpenedStreams>): StreamWorld {
  return {
    run: async (body) => {
      const { sockets, cleanup } = await open();
      try {
        await body(sockets);
      } finally {
        await cleanup();
      }
    },
  };
}

/** What a socket says of itself, and its settings. */
const propertyChecks: StreamChecks = {
  async "addresses, traits and counters"(a, b, traits) {
    assert.deepEqual(a.traits, traits);
    assert.equal(typeof a.localAddress.toString(), "string");
    assert.equal(a.localAddress.transport, a.remoteAddress.transport);
    if (a.localAddress.isIp) {
      assert.equal(a.localAddress.port, b.remoteAddress.port);
      assert.equal(b.localAddress.port, a.remoteAddress.port);
    }
    assert.deepEqual([a.bytesSent, a.bytesReceived], [0, 0]);
    await a.write("12345");
    await b.readExactly(5);
    assert.deepEqual([a.bytesSent, a.bytesReceived, b.bytesSent, b.bytesReceived], [5, 0, 0, 5]);
  },

  async "settings leave the socket as it is"(a, b) {
    for (const on of [false, true]) a.tcp.setNoDelay(on);
    a.tcp.setKeepAlive(true, 1000);
    a.tcp.setKeepAlive(false);
    a.interop.unref();
    a.interop.ref();
    assert.equal(a.interop, a.interop);
    await a.write("x");
    assert.equal(String(await b.readExactly(1)), "x");
  },
};

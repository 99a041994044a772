/** What every connection must do, whatever carries it. The rules are those of `StreamSocket`. */

import { describe, it } from "node:test";
import { ANYTHING, refuseUnknown } from "../../core/options/check-options.ts";
import type { StreamTraits } from "../../io/network/network.ts";
import type { StreamSocket } from "../../io/stream/socket.ts";
import type { StreamCheck } from "./check.ts";
import { cancelChecks } from "./cancel.ts";
import { concurrencyChecks } from "./concurrency.ts";
import { endChecks } from "./ends.ts";
import { interopChecks } from "./interop.ts";
import { readChecks } from "./reads.ts";
import { transferChecks } from "./transfer.ts";
import { writeChecks } from "./writes.ts";

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
  const check: StreamCheck = (title, body) => {
    void it(title, { timeout: HANG_MS }, () =>
      world.run(async ([a, b]) => {
        try {
          await body(a, b, options.traits);
        } finally {
          a.abort();
          b.abort();
        }
      }),
    );
  };
  void describe(name, () => {
    transferChecks(check);
    readChecks(check);
    writeChecks(check);
    cancelChecks(check);
    concurrencyChecks(check);
    endChecks(check, options.traits);
    interopChecks(check);
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

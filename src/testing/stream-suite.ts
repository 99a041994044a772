/** What every connection must do, whatever carries it. The rules are those of `StreamSocket`. */

import { describe, it } from "node:test";
import type { StreamTraits } from "../io/network.ts";
import type { StreamSocket } from "../io/stream-socket.ts";
import type { StreamCheck } from "./stream-check.ts";
import { cancelChecks } from "./stream-suite-cancel.ts";
import { concurrencyChecks } from "./stream-suite-concurrency.ts";
import { endChecks } from "./stream-suite-ends.ts";
import { interopChecks } from "./stream-suite-interop.ts";
import { readChecks } from "./stream-suite-reads.ts";
import { transferChecks } from "./stream-suite-transfer.ts";
import { writeChecks } from "./stream-suite-writes.ts";

/** A test that takes longer hangs: it fails, and those behind it run. */
const HANG_MS = 60_000;

/** A connected pair, made for one test. */
export interface OpenedStreams {
  /** Both ends, with default options. What one writes, the other reads. */
  readonly sockets: readonly [StreamSocket, StreamSocket];
  /** Releases what was opened beside the two ends, which the suite aborts itself. */
  readonly cleanup: () => Promise<void>;
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
 * @param open - Makes a fresh connected pair. It is called once for each test.
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
export function streamSuite(name: string, open: () => Promise<OpenedStreams>, options: StreamSuiteOptions): void {
  const check: StreamCheck = (title, body) => {
    void it(title, { timeout: HANG_MS }, async () => {
      const { sockets, cleanup } = await open();
      const [a, b] = sockets;
      try {
        await body(a, b, options.traits);
      } finally {
        a.abort();
        b.abort();
        await cleanup();
      }
    });
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

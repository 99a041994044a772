/** Joining two connections, as a proxy does. */

import { BlockPool } from "../../core/bytes/block-pool.ts";
import { checkOptions, type OptionRule, type RulesOf, SIGNAL } from "../../core/options/check-options.ts";
import type { StreamEnd } from "./end.ts";
import { StreamSocket as OwnSocket } from "./socket.ts";
import type { InboundConsumer } from "./inbound.ts";
import type { StreamSocket } from "./public.ts";

/** Options of {@link relay}. */
export interface RelayOptions {
  /** Aborts both connections. */
  readonly signal?: AbortSignal | undefined;
}

/** What a relay has carried. */
export interface RelayReport {
  /** Bytes that came from `a` and that `b` has taken. */
  readonly bytesAToB: number;
  /** Bytes that came from `b` and that `a` has taken. */
  readonly bytesBToA: number;
  /** What broke one of the two, if anything did; the other was then aborted as well. */
  readonly error?: unknown;
}

const CONNECTION: OptionRule = {
  wanted: "a connection",
  holds: (value) => typeof (value as StreamSocket | null | undefined)?.abort === "function",
  required: true,
};

const RULES: RulesOf<RelayOptions> = { signal: SIGNAL };

/**
 * Carries bytes both ways between `a` and `b` until both directions have ended, with backpressure: a slow reader slows
 * its writer. An end of one direction is passed on as an end (half-close), a reset as a reset. Resolves when both
 * connections are over; rejects only with `OPTION_INVALID`. When one of the two is lost or aborted, so is the other at once:
 * bytes that still wait for a slow reader are given up.
 *
 * @example
 * ```ts
 * import { connect, pair, relay, serve } from "zocalo";
 * await using target = await serve("tcp://127.0.0.1:0", async (peer) => await peer.write("hola"));
 * const [inner, outer] = pair();
 * const joined = relay(inner, await connect(target.localAddress));
 * console.log(String(await outer.readExactly(4)));
 * await outer.end();
 * console.log((await joined).bytesBToA);
 * ```
 */
export async function relay(a: StreamSocket, b: StreamSocket, options: RelayOptions = {}): Promise<RelayReport> {
  checkOptions({ op: "relay" }, { a, b }, { a: CONNECTION, b: CONNECTION });
  const { signal } = checkOptions({ op: "relay" }, options, RULES);
  let error: unknown;
  const fail = (reason: unknown): void => {
    error ??= reason;
    a.abort(reason);
    b.abort(reason);
  };
  // Also while its bytes wait for the other one, when nothing is read from it that could tell.
  const lost = ({ how, error: reason }: StreamEnd): void => {
    if (how !== "ended" && how !== "closed") fail(reason);
  };
  const stop = (): void => fail(signal?.reason);
  if (signal?.aborted === true) stop();
  signal?.addEventListener("abort", stop, { once: true });
  for (const { closed } of [a, b]) void closed.then(lost);
  const [bytesAToB, bytesBToA] = await Promise.all([carry(a, b, fail), carry(b, a, fail)]);
  signal?.removeEventListener("abort", stop);
  await Promise.allSettled([a.close(), b.close()]);
  return error === undefined ? { bytesAToB, bytesBToA } : { bytesAToB, bytesBToA, error };
}

/** So often a relay looks whether a connection is still there from which it reads nothing now. */
const CHECK_MS = 1000;

/** Blocks are lent to all relays of the process. */
const pool = new BlockPool();

/** Connections of this package hand over what arrives, behind reads that wait already; any other is read. */
function carry(from: StreamSocket, to: StreamSocket, fail: (reason: unknown) => void): Promise<number> {
  const own = from instanceof OwnSocket && to instanceof OwnSocket && !from.inbound.hasWaiters;
  return own ? new Carrier(from, to, fail).carried : carryReads(from, to, fail);
}

async function carryReads(from: StreamSocket, to: StreamSocket, fail: (reason: unknown) => void): Promise<number> {
  let carried = 0;
  try {
    for await (const bytes of from) {
      await to.write(bytes);
      carried += bytes.length;
    }
    await to.end();
  } catch (error) {
    fail(error);
  }
  return carried;
}

/** Writes what arrives on one connection to another, with neither a promise nor new memory for each piece. */
class Carrier implements InboundConsumer {
  /** Resolves with the number of bytes when the direction is over, in order or not. */
  readonly carried: Promise<number>;
  readonly #from: OwnSocket;
  readonly #to: OwnSocket;
  readonly #fail: (reason: unknown) => void;
  #bytes = 0;
  /** What has come from the one waits for the other. */
  #blocked = false;
  #watching = false;
  #done: () => void = () => undefined;

  constructor(from: OwnSocket, to: OwnSocket, fail: (reason: unknown) => void) {
    this.#from = from;
    this.#to = to;
    this.#fail = fail;
    this.carried = new Promise((resolve) => {
      this.#done = () => resolve(this.#bytes);
    });
    try {
      from.inbound.attach(this, "relay");
    } catch (error) {
      this.broken(error);
    }
  }

  received(view: Uint8Array): number {
    const block = pool.acquire(view.length);
    block.set(view);
    const written = this.#to.write(view.length === block.length ? block : block.subarray(0, view.length));
    const { outbound } = this.#to;
    if (!outbound.busy && outbound.state === "open") this.#taken(block, view.length);
    else {
      this.#from.inbound.hold(true);
      this.#block();
      written.then(
        () => {
          this.#blocked = false;
          this.#taken(block, view.length);
          this.#from.inbound.hold(false);
        },
        (error: unknown) => this.broken(error),
      );
    }
    return view.length;
  }

  ended(): void {
    this.#block();
    this.#to.end().then(
      () => {
        this.#blocked = false;
        this.#done();
      },
      (error: unknown) => this.broken(error),
    );
  }

  broken(error: unknown): void {
    this.#blocked = false;
    this.#done();
    this.#fail(error);
  }

  #block(): void {
    this.#blocked = true;
    if (this.#watching) return;
    this.#watching = true;
    this.#from.clock.setTimer(() => this.#check(), CHECK_MS, true);
  }

  /** The kernel tells nobody of a reset who reads nothing. */
  #check(): void {
    this.#watching = false;
    if (!this.#blocked) return;
    if (this.#from.transport.isLost?.() !== true) this.#block();
    else {
      this.#from.transport.destroy();
      this.#from.failed(undefined);
    }
  }

  #taken(block: Buffer, bytes: number): void {
    pool.release(block);
    this.#bytes += bytes;
  }
}

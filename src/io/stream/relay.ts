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
  return await relayBy(a, b, checkOptions({ op: "relay" }, options, RULES));
}

/** Takes what one direction carries out of the straight way while it is busy, and passes it on later: the fault proxy. */
export interface Detour {
  /** Whether it takes what comes now: while it has passed on not all of what it took, it must. */
  readonly busy: boolean;
  /** Takes bytes; the view is valid only during the call. */
  received(view: Uint8Array): void;
  /** Takes the end. */
  ended(): void;
  /** The direction is over: nothing is passed on any more. Called once, however it ends. */
  stop(): void;
}

/** What a detour has of the direction that it serves. */
export interface DetourWay {
  /** Where to write to. */
  readonly to: StreamSocket;
  /** Bytes that came before those of now. */
  readonly bytesTaken: number;
  /** Lets nothing more come, or goes on. */
  hold(on: boolean): void;
  /** Counts bytes that have been passed on. */
  passed(bytes: number): void;
  /** The end has been passed on. */
  finished(): void;
  /** Ends both directions in order, whatever is still to come. */
  close(): void;
  /** Breaks both directions: both connections are aborted. */
  broken(error: unknown): void;
}

/** Makes the detour of one direction. */
export type Detours = (way: DetourWay) => Detour;

/** As {@link relay}, with a detour for each direction. Both connections are of this package then. */
export async function relayBy(
  a: StreamSocket,
  b: StreamSocket,
  { signal }: RelayOptions,
  detours: readonly [aToB?: Detours, bToA?: Detours] = [],
): Promise<RelayReport> {
  let error: unknown;
  let failed = false;
  const carriers: Carrier[] = [];
  const close = (): void => {
    failed = true;
    for (const carrier of carriers) carrier.finished();
  };
  const fail = (reason: unknown): void => {
    if (failed) return;
    failed = true;
    error = reason;
    a.abort(reason);
    b.abort(reason);
    // Also those whose end waits for a detour.
    for (const carrier of carriers) carrier.broken(reason);
  };
  // Also while its bytes wait for the other one, when nothing is read from it that could tell.
  const lost = ({ how, error: reason }: StreamEnd): void => {
    if (how !== "ended" && how !== "closed") fail(reason);
  };
  const stop = (): void => fail(signal?.reason);
  if (signal?.aborted === true) stop();
  signal?.addEventListener("abort", stop, { once: true });
  for (const { closed } of [a, b]) void closed.then(lost);
  const carry = (from: StreamSocket, to: StreamSocket, detour: Detours | undefined): Promise<number> => {
    // Connections of this package hand over what arrives, behind reads that wait already; any other is read.
    const own = from instanceof OwnSocket && to instanceof OwnSocket && !from.inbound.hasWaiters;
    if (!own) return carryReads(from, to, fail);
    const carrier = new Carrier(from, to, { fail, close }, detour);
    carriers.push(carrier);
    carrier.begin();
    return carrier.carried;
  };
  const [bytesAToB, bytesBToA] = await Promise.all([carry(a, b, detours[0]), carry(b, a, detours[1])]);
  signal?.removeEventListener("abort", stop);
  await Promise.allSettled([a.close(), b.close()]);
  return error === undefined ? { bytesAToB, bytesBToA } : { bytesAToB, bytesBToA, error };
}

/** So often a relay looks whether a connection is still there from which it reads nothing now. */
const CHECK_MS = 1000;

/** Blocks are lent to all relays of the process. */
const pool = new BlockPool();

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

/** What ends both directions. */
interface BothWays {
  fail(reason: unknown): void;
  close(): void;
}

/** Writes what arrives on one connection to another, with neither a promise nor new memory for each piece. */
class Carrier implements InboundConsumer, DetourWay {
  /** Resolves with the number of bytes when the direction is over, in order or not. */
  readonly carried: Promise<number>;
  readonly to: OwnSocket;
  bytesTaken = 0;
  readonly #from: OwnSocket;
  readonly #both: BothWays;
  readonly #detour: Detour | undefined;
  #bytes = 0;
  /** What has come from the one waits for the other. */
  #blocked = false;
  #watching = false;
  #ending = false;
  #over = false;
  #done: () => void = () => undefined;

  constructor(from: OwnSocket, to: OwnSocket, both: BothWays, detour: Detours | undefined) {
    this.#from = from;
    this.to = to;
    this.#both = both;
    this.#detour = detour?.(this);
    this.carried = new Promise((resolve) => {
      this.#done = () => resolve(this.#bytes);
    });
  }

  begin(): void {
    try {
      this.#from.inbound.attach(this, "relay");
    } catch (error) {
      this.broken(error);
    }
  }

  received(view: Uint8Array): number {
    if (this.#detour?.busy === true) {
      this.#detour.received(view);
      this.bytesTaken += view.length;
      return view.length;
    }
    this.bytesTaken += view.length;
    const block = pool.acquire(view.length);
    block.set(view);
    const written = this.to.write(view.length === block.length ? block : block.subarray(0, view.length));
    const { outbound } = this.to;
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
    // Told again after each hold.
    if (this.#ending) return;
    this.#ending = true;
    this.#block();
    if (this.#detour?.busy === true) this.#detour.ended();
    else {
      this.to.end().then(
        () => this.finished(),
        (error: unknown) => this.broken(error),
      );
    }
  }

  broken(error: unknown): void {
    this.finished();
    this.#both.fail(error);
  }

  hold(on: boolean): void {
    if (on) this.#block();
    else this.#blocked = this.#ending;
    this.#from.inbound.hold(on);
  }

  close(): void {
    this.#both.close();
  }

  passed(bytes: number): void {
    this.#bytes += bytes;
  }

  finished(): void {
    if (this.#over) return;
    this.#over = true;
    this.#blocked = false;
    this.#detour?.stop();
    this.#done();
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

/** The public contract of the fault proxy. */

import type { Address, AddressLike } from "../core/address/address.ts";
import type { FaultGuard } from "../core/faults/fault.ts";
import type { NetworkOption } from "../api/call-options.ts";
import type { CloseReport, CloseServerOptions, ServerEnd } from "../io/operation/graceful-close.ts";
import type { ProxyFault } from "./fault.ts";
import type { ProxyBytes, ProxyReport } from "./report.ts";
import type { ProxyListener } from "./watch.ts";
import type { ProxySchedule } from "./schedule.ts";

/** One proxy: where clients connect to, and where it passes on to. */
export interface ProxyDefinition {
  /**
   * Its name, unique among the proxies that run together. It can be a part of the path of a URL: not empty, `.` or `..`, and without `/`
   * and half of a surrogate pair.
   */
  readonly name: string;
  /**
   * Where clients connect to: `tcp://`, `unix:` or `udp://`, the same kind as `upstream` (TCP and Unix may be mixed). Default: a free
   * port of 127.0.0.1. Loopback only, unless `expose` is set.
   */
  readonly listen?: AddressLike | undefined;
  /**
   * The real server. TLS passes as bytes: write `tcp://`. Loopback only, unless `expose` is set. It must not lead back to this proxy,
   * directly or by way of others that run together with it; loops over other processes are not seen.
   */
  readonly upstream: AddressLike;
  /** Whether it listens. Default true. While it does not, clients are refused. */
  readonly enabled?: boolean | undefined;
  /** Faults that act from the start. */
  readonly faults?: readonly ProxyFault[] | undefined;
}

/** What may be changed of a proxy that runs. What is left out stays. */
export type ProxyChange = Pick<Partial<ProxyDefinition>, "listen" | "upstream" | "enabled">;

/** Limits of proxies that run together. */
export interface ProxyLimits {
  /**
   * Faults that act at once in one proxy, with the most that a schedule being played has at once. Default 1000, far more than a test
   * needs: each chunk is looked at for each of them.
   */
  readonly maxFaults?: number | undefined;
}

/** Options of `startProxy`. */
export interface StartProxyOptions extends NetworkOption {
  /** Decides which chunks and datagrams a fault hits: a whole number from 0 on. Default: that of the schedule, else 1. */
  readonly seed?: number | undefined;
  /** The proxies to start; more can be added later. */
  readonly proxies?: readonly ProxyDefinition[] | undefined;
  /** Is played as soon as all proxies are open, beside their own faults. Default: none. */
  readonly schedule?: ProxySchedule | undefined;
  /**
   * Allows addresses other than loopback, for listening and for upstreams. Default false, since a proxy that anybody can reach lets
   * anybody reach what is behind it.
   */
  readonly expose?: boolean | undefined;
  /** What may be at once. Defaults: see each of them. */
  readonly limits?: ProxyLimits | undefined;
}

/** A connection that passes through a proxy now, or the datagrams of one client. */
export interface ProxiedConnection {
  /** Counted from 1, in the order of arrival at its proxy. */
  readonly number: number;
  /** Who connected. */
  readonly client: Address;
  /** When, on the clock of the network, in milliseconds. */
  readonly openedAtMs: number;
  /** Bytes that the upstream has been given. */
  readonly bytesToServer: number;
  /** Bytes that the client has been given. */
  readonly bytesToClient: number;
}

/** One proxy that runs. */
export interface FaultProxy {
  /** Its name. */
  readonly name: string;
  /** Where clients connect to, with the port that the system chose. */
  readonly listen: Address;
  /** The real server. */
  readonly upstream: Address;
  /** Whether it listens. */
  readonly enabled: boolean;
  /** The faults that act now, in the order in which they began. */
  readonly faults: readonly ProxyFault[];
  /** What passes through it now. */
  readonly connections: readonly ProxiedConnection[];
  /**
   * Bytes that have passed it so far, those of connections that are over included. A proxy that is added under the name of one that was
   * removed begins at 0.
   */
  readonly bytes: ProxyBytes;
  /**
   * Lets a copy of a fault begin, until the guard ends it. Connections feel all that begins and ends in one turn of the event loop at
   * its end, so one that ends at once does nothing. Throws `OPTION_INVALID` for a fault that this proxy cannot have, such as
   * `slicing` of datagrams, and when `limits.maxFaults` act already; `CLOSED` when the proxy was removed or closed.
   */
  inflict(fault: ProxyFault): FaultGuard;
  /** Ends a fault of `faults`, whoever began it. Answers whether it was acting. */
  heal(fault: ProxyFault): boolean;
  /**
   * Ends faults and lets copies of others begin in their place, also where `limits.maxFaults` act. Answers those that have begun, as
   * they stand in `faults`. Throws as `inflict` does; then nothing has changed. One that has ended already is left out.
   *
   * @param ended - Of `faults`, whoever began them.
   * @param begun - What acts instead; of any number.
   */
  replace(ended: readonly ProxyFault[], begun: readonly ProxyFault[]): readonly ProxyFault[];
  /**
   * Changes the proxy. When `enabled`, `listen` or `upstream` becomes another, its connections are cut. Rejects with `OPTION_INVALID` and
   * `ADDRESS_INVALID` before anything has changed, with `CLOSED` when it was removed or closed, also meanwhile, and as `listen` does:
   * the proxy is then as it was, but not enabled.
   */
  change(change: ProxyChange): Promise<void>;
}

/** A schedule that is being played. */
export interface SchedulePlay {
  /** What is played. */
  readonly schedule: ProxySchedule;
  /** When it began, on the clock of the network, in milliseconds. */
  readonly beganAtMs: number;
  /** Resolves when all its faults are healed: at its end, by `stop`, or because the proxies were closed. Never rejects. */
  readonly ended: Promise<void>;
  /** Heals its faults, and lets none begin any more. Harmless when it has ended. */
  stop(): void;
}

/** Takes a block of a capture. Without a `head` those that follow cannot be read; each `packet` stands by itself. */
export type WriteCapture = (block: Uint8Array, kind: "head" | "packet") => void;

/** Options of a capture. */
export interface CaptureOptions {
  /** What time it is now in the capture, in milliseconds since 1970. Default 0: the capture begins in 1970, as those of simulated worlds. */
  readonly epochMs?: number | undefined;
}

/** Notes what goes wrong, as a schedule that can be played again. */
export interface ProxyRecording {
  /** When it began, on the clock of the network, in milliseconds. */
  readonly beganAtMs: number;
  /** What it has noted so far; a fault that still acts ends now, in this schedule. */
  readonly schedule: ProxySchedule;
  /** Faults that it did not note, because it has 10,000 already. */
  readonly dropped: number;
  /** Notes nothing more, and answers the schedule; the same one when it is called again. */
  stop(): ProxySchedule;
}

/** Proxies that run together, with one seed. `await using` closes them. */
export interface FaultProxies extends AsyncDisposable {
  /** What decides the draws of all faults. */
  readonly seed: number;
  /** The proxies by name, in the order in which they were added. */
  readonly proxies: ReadonlyMap<string, FaultProxy>;
  /** Aborts as soon as `close` or `abort` is called. */
  readonly draining: AbortSignal;
  /** Resolves when they are closed, and says how. Never rejects. */
  readonly closed: Promise<ServerEnd>;
  /** Adds a proxy. Rejects with `OPTION_INVALID` (also for a name that is taken), `ADDRESS_INVALID`, `CLOSED`, and as `listen` and `bind` do. */
  add(definition: ProxyDefinition): Promise<FaultProxy>;
  /** Removes a proxy and cuts its connections. Rejects with `OPTION_INVALID` when there is none of this name. */
  remove(name: string): Promise<void>;
  /**
   * Lets a fault begin in every proxy that can have it, or in none. Throws `OPTION_INVALID` when none can, or when `limits.maxFaults`
   * act already in one of them; `CLOSED` after `close` and `abort`.
   */
  inflict(fault: ProxyFault): FaultGuard;
  /**
   * Tells `listener` of every chunk, datagram and fault from now on, until the answer is called. The bytes are copied for it, which takes
   * time: without a listener nothing is. What `listener` throws is an uncaught exception, and it is told no more.
   */
  watch(listener: ProxyListener): () => void;
  /**
   * Writes what passes through from now on as a pcapng file, for Wireshark and tshark: a packet for each chunk and datagram as its sender
   * put it on the wire, with headers that fit each other, and a comment that says which faults acted and what they did: a chunk that silence
   * holds back stands where it came, and its comment says so, as `isHeld` does to those who watch. `write` gets whole blocks, at once and in order, and has to bound what it keeps of them. It may leave out blocks of the kind `packet`. Unix sockets and
   * host names stand there under addresses for documentation, as the first packet of each connection says. The capture ends when the
   * answer is called.
   *
   * @example
   * ```ts
   * import { startProxy } from "zocalo/proxy";
   * await using running = await startProxy({ proxies: [{ name: "db", upstream: "tcp://127.0.0.1:5432" }] });
   * const blocks: Uint8Array[] = [];
   * const stop = running.capture((block) => blocks.push(block), { epochMs: Date.now() });
   * stop();
   * console.log(blocks[0]?.[0]); // 10, the first byte of a section
   * ```
   */
  capture(write: WriteCapture, options?: CaptureOptions): () => void;
  /**
   * Plays a schedule from now on, beside all other faults: each of its faults begins and ends by the clock of the network, in the proxies
   * that there are then. A new run with the same seed, schedule and traffic has the same report. Throws `OPTION_INVALID` for a
   * schedule that is none, with a fault that no proxy here can have, or with more faults at once than `limits.maxFaults` leaves room for,
   * and `CLOSED`; nothing of it has begun then. The room is kept for it until it ends.
   */
  play(schedule: ProxySchedule): SchedulePlay;
  /** The schedules that are being played. */
  readonly plays: readonly SchedulePlay[];
  /**
   * Notes from now on which faults begin and end: by `inflict`, by a schedule, or by a client of Toxiproxy; those that act already begin at
   * 0. Faults that a proxy has had from its start are left out, since its definition has them. Throws `CLOSED`.
   *
   * @example
   * ```ts
   * import { formatSchedule, startProxy } from "zocalo/proxy";
   * await using running = await startProxy({ proxies: [{ name: "db", upstream: "tcp://127.0.0.1:5432" }] });
   * const recording = running.record();
   * running.inflict({ kind: "partition", from: "client", to: "server" }).heal();
   * console.log(formatSchedule(recording.stop()).includes("partition")); // true
   * ```
   */
  record(): ProxyRecording;
  /** What the faults have done so far. */
  report(): ProxyReport;
  /** Accepts no more, waits for the connections for `timeoutMs` (default 5000), then cuts the rest. A later call may shorten the wait. */
  close(options?: CloseServerOptions): Promise<CloseReport>;
  /** Cuts all connections at once. */
  abort(reason?: unknown): void;
}

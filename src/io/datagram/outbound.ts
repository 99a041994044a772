/** The sending half of a datagram socket: what waits for the kernel, in batches, and who is told when it has it. */

import type { Address } from "../../core/address/address.ts";
import { UsageError, ZocaloError } from "../../core/errors.ts";
import { HELD } from "../../core/held-bytes.ts";
import type { OutgoingDatagram, SendFailure } from "../network/datagrams.ts";
import { Deadline, expiryReason, type OperationOptions, refusedAtOnce } from "../operation/deadline.ts";
import { restated } from "../operation/restated.ts";
import { Waiter, WaitQueue } from "../operation/wait-queue.ts";
import type { Destinations } from "./destinations.ts";
import type { DatagramPartOwner, SendReport } from "./owner.ts";
import { BESIDE_PAYLOAD_BYTES, datagramSocketClosed } from "./inbound.ts";
import type { QueueLimits } from "./settings.ts";

/** Most datagrams and bytes in one batch: enough that a system call is cheap, little enough that a cancelled send waits. */
const BATCH_DATAGRAMS = 256;
const BATCH_BYTES = 1_048_576;

/**
 * After so many datagrams the next answer waits for the end of the event loop's turn: the kernel takes datagrams at once, so
 * that a program that awaits each send in a loop would otherwise never receive anything, nor see a timer.
 */
const DATAGRAMS_A_TURN = 128;

const NO_FAILURES: readonly SendFailure[] = Object.freeze([]);

/** One call of `send` or `sendMany`. */
class SendJob extends Waiter<SendReport> {
  /** How many were handed to the transport, and on how many the kernel has decided. */
  begun = 0;
  decided = 0;
  /** Names of this job that are being looked up. */
  lookups = 0;
  failures: SendFailure[] | undefined = undefined;
  /** Its caller has been answered, so its bytes are no longer to be relied on. */
  answered = false;
  readonly op: string;
  items: OutgoingDatagram[];
  readonly bytes: number;

  constructor(
    op: string,
    items: OutgoingDatagram[],
    bytes: number,
    resolve: (report: SendReport) => void,
    reject: (reason: unknown) => void,
  ) {
    super(undefined, resolve, reject);
    this.op = op;
    this.items = items;
    this.bytes = bytes;
  }
}

/** A run of one job's datagrams within a batch. */
interface Part {
  readonly job: SendJob;
  readonly first: number;
  readonly count: number;
}

/** The sending half of a datagram socket. */
export class DatagramOutbound {
  sent = 0;
  bytesSent = 0;
  /** Datagrams that were accepted and on which the kernel has not decided. */
  unsent = 0;
  readonly #owner: DatagramPartOwner;
  readonly #destinations: Destinations;
  readonly #limits: QueueLimits;
  #unsentBytes = 0;
  /** Memory of the calls that have not settled. */
  heldBytes = 0;
  /** Jobs that have datagrams to hand over. */
  readonly #ready = new WaitQueue<SendJob>();
  readonly #jobs = new Set<SendJob>();
  #busy = false;
  #sentThisTurn = 0;
  #closing = false;
  #onDrained: (() => void) | undefined;

  constructor(owner: DatagramPartOwner, destinations: Destinations, limits: QueueLimits) {
    this.#owner = owner;
    this.#destinations = destinations;
    this.#limits = limits;
  }

  /** Sends datagrams whose addresses may still be names. */
  send(op: string, items: OutgoingDatagram[], bytes: number, options?: OperationOptions): Promise<SendReport> {
    const refused = refusedAtOnce(options, () => this.#owner.context(op));
    if (refused !== undefined) return Promise.reject(refused.reason);
    if (this.#closing) return Promise.reject(datagramSocketClosed(this.#owner, op, "none"));
    const error = this.#owner.takeError();
    if (error !== undefined) return Promise.reject(restated(error, this.#owner.context(op), "none"));
    const { maxDatagrams, maxBytes } = this.#limits;
    const isFull = this.unsent + items.length > maxDatagrams || this.#unsentBytes + bytes > maxBytes;
    if (this.unsent > 0 && (isFull || this.heldBytes + bytes > maxBytes + BESIDE_PAYLOAD_BYTES)) {
      const most = `limits.maxSendQueueDatagrams (${maxDatagrams}) or limits.maxSendQueueBytes (${maxBytes})`;
      const detail = `more than ${most} would wait; await each call, or raise the limit`;
      return Promise.reject(new UsageError("QUEUE_FULL", { ...this.#owner.context(op), detail, outcome: "none" }));
    }
    if (items.length === 0) return Promise.resolve({ sent: 0, failures: NO_FAILURES });
    return new Promise((resolve, reject) => {
      const job = new SendJob(op, items, bytes, resolve, reject);
      job.deadline = Deadline.of(this.#owner.clock, options, (cause) => this.#cancel(job, cause));
      this.#accept(job);
    });
  }

  /** Accepts no more, and calls `done` when everything accepted has been decided. */
  close(done: () => void): void {
    this.#closing = true;
    this.#onDrained = done;
    this.#checkDrained();
  }

  /** The datagram socket is gone: everything that waits rejects. */
  fail(error: ZocaloError): void {
    this.#closing = true;
    this.unsent = 0;
    this.#unsentBytes = 0;
    this.heldBytes = 0;
    for (const job of this.#jobs) {
      this.#ready.remove(job);
      const outcome = job.begun === 0 ? "none" : "unknown";
      this.#answer(job, () => job.reject(restated(error, this.#owner.context(job.op), outcome)));
    }
    this.#jobs.clear();
    this.#checkDrained();
  }

  #accept(job: SendJob): void {
    this.#jobs.add(job);
    this.unsent += job.items.length;
    this.#unsentBytes += job.bytes;
    this.heldBytes += heldBy(job);
    for (let index = 0; index < job.items.length; index += 1) {
      const { data, to } = job.items[index] as OutgoingDatagram;
      if (to === undefined || to.isIp) continue;
      const known = this.#destinations.resolve(to, (error, found) => this.#found(job, index, error, found));
      if (known === undefined) job.lookups += 1;
      else job.items[index] = { data, to: known };
    }
    if (job.lookups > 0) return;
    this.#ready.add(job);
    this.#pump();
  }

  /** A name of a job was looked up. */
  #found(job: SendJob, index: number, error: unknown, to: Address | undefined): void {
    if (!this.#jobs.has(job)) return;
    if (to === undefined) {
      const reason =
        error instanceof ZocaloError ? restated(error, this.#owner.context(job.op, error.remote), "none") : error;
      this.#answer(job, () => job.reject(reason));
      this.#forget(job);
      return;
    }
    const item = job.items[index] as OutgoingDatagram;
    job.items[index] = { data: item.data, to };
    job.lookups -= 1;
    if (job.lookups > 0) return;
    this.#ready.add(job);
    this.#pump();
  }

  #cancel(job: SendJob, cause: number | AbortSignal): void {
    const begun = job.begun > 0;
    const reason = expiryReason(cause, this.#owner.context(job.op), begun ? "all" : "none");
    this.#answer(job, () => job.reject(reason));
    if (begun) {
      // All or nothing: the rest is sent in the background, from a copy, since the caller may reuse its input now.
      job.items = job.items.map((item, index) => (index < job.begun ? item : copyOf(item)));
      return;
    }
    this.#ready.remove(job);
    this.#forget(job);
  }

  /** Hands over the next batch, and the one behind it while the kernel takes them at once. */
  #pump(): void {
    while (!this.#busy && this.#ready.size > 0) {
      const batch: OutgoingDatagram[] = [];
      const parts = this.#gather(batch);
      let returned = false;
      const decided = (failures?: readonly SendFailure[]): void => {
        this.#busy = false;
        this.#decide(parts, failures);
        if (returned) this.#pump();
      };
      this.#busy = true;
      this.#owner.transport.send(batch, (failures) => {
        this.#sentThisTurn += batch.length;
        if (this.#sentThisTurn < DATAGRAMS_A_TURN) return decided(failures);
        this.#sentThisTurn = 0;
        this.#owner.clock.defer(() => decided(failures));
      });
      returned = true;
    }
  }

  #gather(batch: OutgoingDatagram[]): Part[] {
    const parts: Part[] = [];
    let bytes = 0;
    for (let job = this.#ready.first; job !== undefined; job = this.#ready.first) {
      const first = job.begun;
      while (job.begun < job.items.length && batch.length < BATCH_DATAGRAMS && bytes < BATCH_BYTES) {
        const item = job.items[job.begun] as OutgoingDatagram;
        // Who can end a send early may get its input back before the kernel has it.
        batch.push(job.deadline === undefined ? item : copyOf(item));
        bytes += item.data.length;
        job.begun += 1;
      }
      if (job.begun > first) parts.push({ job, first, count: job.begun - first });
      if (job.begun < job.items.length) break;
      this.#ready.remove(job);
    }
    return parts;
  }

  /** The kernel has decided on a batch. */
  #decide(parts: readonly Part[], failures: readonly SendFailure[] = NO_FAILURES): void {
    let place = 0;
    let failed = 0;
    for (const { job, first, count } of parts) {
      for (let index = first; index < first + count; index += 1, place += 1) {
        const failure = failures[failed];
        if (failure?.index === place) {
          failed += 1;
          job.failures ??= [];
          job.failures.push({ index, error: this.#refusal(failure.error, job.op) });
        } else {
          this.sent += 1;
          this.bytesSent += (job.items[index] as OutgoingDatagram).data.length;
        }
      }
      job.decided += count;
      if (job.decided === job.items.length) this.#finish(job);
    }
  }

  #finish(job: SendJob): void {
    const { failures = NO_FAILURES } = job;
    this.#answer(job, () => job.resolve({ sent: job.items.length - failures.length, failures }));
    this.#forget(job);
  }

  #refusal(error: unknown, op: string): unknown {
    if (!(error instanceof ZocaloError)) return error;
    return restated(error, this.#owner.context(op, error.remote), "none");
  }

  #answer(job: SendJob, tell: () => void): void {
    if (job.answered) return;
    job.answered = true;
    job.deadline?.cancel();
    tell();
  }

  #forget(job: SendJob): void {
    if (!this.#jobs.delete(job)) return;
    this.unsent -= job.items.length;
    this.#unsentBytes -= job.bytes;
    this.heldBytes -= heldBy(job);
    this.#checkDrained();
  }

  #checkDrained(): void {
    if (this.#jobs.size > 0) return;
    this.#onDrained?.();
    this.#onDrained = undefined;
  }
}

function heldBy({ items, bytes, deadline }: SendJob): number {
  return bytes + HELD.send + (deadline !== undefined ? HELD.deadline : 0) + items.length * HELD.outgoing;
}

function copyOf({ data, to }: OutgoingDatagram): OutgoingDatagram {
  return { data: Uint8Array.prototype.slice.call(data), to };
}

/** The sending half of a connection: what waits for the kernel, in order, and who is told when it has it. */

import { ConnectionError, type ErrorOutcome, UsageError, type ZocaloError } from "../../core/errors.ts";
import { HELD } from "../../core/held-bytes.ts";
import type { StreamPartOwner } from "./owner.ts";
import {
  Deadline,
  expiryReason,
  type OperationContext,
  type OperationOptions,
  refusedAtOnce,
} from "../operation/deadline.ts";
import { FULFILLED, handled, rejectedQuietly } from "../operation/handled-rejection.ts";
import { restated } from "../operation/restated.ts";
import type { WriteInput } from "./public.ts";
import { textBytes } from "../operation/arguments.ts";
import { Waiter, WaitQueue } from "../operation/wait-queue.ts";

/**
 * Most bytes handed to the kernel in one go. Large enough that a system call is cheap, small enough that progress is
 * seen and that a cancelled write keeps little memory.
 */
const SLICE_BYTES = 262_144;

/** Writes up to this size that wait are put together, since each by itself pins hundreds of bytes. */
const GATHERED_BYTES = 1024;
/** What is gathered in one turn is handed over before its end when it is so much. */
const GATHERED_TOGETHER_BYTES = 65_536;
/** Memory for writes that are put together: as much as waits already, from this to that. */
const SMALLEST_ROOM_BYTES = 512;
const LARGEST_ROOM_BYTES = 16_384;

/** One write, or small ones put together. */
class WriteJob extends Waiter<void> {
  chunks: readonly Uint8Array[];
  /** Where small writes are put together, the first `bytes` of it. */
  readonly room: Buffer | undefined;
  /** Memory that it pins. */
  readonly heldBytes: number;
  readonly promise: Promise<void>;
  /** The first chunk that was not taken, and how much of it was. */
  index = 0;
  offset = 0;
  remaining: number;
  bytes: number;

  constructor(bytes: number, cancellable: boolean, room: Buffer | undefined, chunks: readonly Uint8Array[] = []) {
    let resolve = (): void => undefined;
    let reject = (_reason: unknown): void => undefined;
    const promise = new Promise<void>((yes, no) => {
      resolve = yes;
      reject = no;
    });
    super(undefined, resolve, reject);
    this.promise = promise;
    this.chunks = chunks;
    this.bytes = this.remaining = bytes;
    this.heldBytes = HELD.write + (cancellable ? HELD.deadline : 0) + (room?.length ?? bytes);
    this.room = room;
  }
}

/** Where the sending side stands. */
type OutboundState = "open" | "ending" | "ended" | "failed";

/** Gathers messages, and must hand them over before anything else is sent. */
interface Gatherer {
  handOver(): void;
  /** Also what waits for room, because nothing can be sent after it. */
  handOverAll(): void;
}

/** The sending half of a connection. */
export class Outbound {
  state: OutboundState = "open";
  bytesSent = 0;
  /** A framed writer. */
  gatherer: Gatherer | undefined;
  readonly #owner: StreamPartOwner;
  /** Writes that wait. An idle connection has none. */
  #jobs: WaitQueue<WriteJob> | undefined;
  #queuedBytes = 0;
  #heldBytes = 0;
  /** Bytes of the slice that the transport works on; 0 when it is idle. */
  #inFlight = 0;
  #error: ZocaloError | undefined;
  #finish: { readonly promise: Promise<void>; resolve: () => void; reject: (reason: unknown) => void } | undefined;

  constructor(owner: StreamPartOwner) {
    this.#owner = owner;
  }

  /** Whether bytes wait for the kernel. */
  get busy(): boolean {
    return this.#inFlight > 0 || this.#queuedBytes > 0;
  }

  /** Memory that waits for the kernel: the bytes of the writes, and what each pins beside them. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** A number that changes while a blocked write makes progress. */
  get progress(): number {
    return this.#inFlight > 0 ? this.bytesSent - this.#owner.transport.unsentBytes() : this.bytesSent;
  }

  /** Sends bytes; resolves when the kernel has them. */
  write(data: WriteInput, options: OperationOptions | undefined): Promise<void> {
    const refused = refusedAtOnce(options, () => this.#owner.context("write"));
    if (refused !== undefined) return Promise.reject(refused.reason);
    if (this.state !== "open") return rejectedQuietly(this.whyNot("write"));
    this.gatherer?.handOver();
    let chunks: Uint8Array[];
    try {
      chunks = chunksOf(data, () => this.#owner.context("write"));
    } catch (error) {
      return Promise.reject(error);
    }
    let bytes = 0;
    for (const chunk of chunks) bytes += chunk.length;
    if (bytes === 0) return Promise.resolve();
    if (!this.busy && bytes <= SLICE_BYTES && options === undefined) return this.#writeNow(chunks, bytes);
    const joined = options === undefined ? this.#join(chunks, bytes) : undefined;
    if (joined !== undefined) return joined;
    if (!this.hasRoom(bytes)) {
      const { maxWriteQueueBytes } = this.#owner.settings;
      const detail = `more than limits.maxWriteQueueBytes (${maxWriteQueueBytes}) would wait; await each write`;
      return rejectedQuietly(
        new UsageError("QUEUE_FULL", { ...this.#owner.context("write"), detail, outcome: "none" }),
      );
    }
    return this.#enqueue(chunks, bytes, options).promise;
  }

  /** Whether so many bytes more may wait: always where none wait, else while all together pin at most `mostBytes`. */
  hasRoom(bytes: number, mostBytes: number = Number.POSITIVE_INFINITY): boolean {
    if (this.#queuedBytes === 0) return true;
    return this.#heldBytes + HELD.write + bytes <= Math.min(mostBytes, this.#owner.settings.maxWriteQueueBytes);
  }

  /**
   * As `write`, of bytes that nobody changes. Answers whether the kernel has all of them, or takes them although the call was ended
   * early; false when none was sent, or the connection was lost.
   */
  async offer(bytes: Uint8Array, options: OperationOptions | undefined): Promise<boolean> {
    if (this.state !== "open" || bytes.length === 0 || !this.hasRoom(bytes.length)) return bytes.length === 0;
    this.gatherer?.handOver();
    const job = this.#enqueue([bytes], bytes.length, options);
    try {
      await job.promise;
      return true;
    } catch {
      return this.#error === undefined && job.remaining < job.bytes;
    }
  }

  /** Whether something was gathered and nothing waits for the kernel. */
  get gathers(): boolean {
    return this.#inFlight === 0 && this.#queuedBytes > 0;
  }

  /** As `write`, of bytes that nobody changes and for which there is room. They leave with `handOver`, or with what is written next. */
  gather(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const chunks = [bytes];
    // The first one is sent as it is: most often it stays alone.
    if (!this.busy) this.#add(new WriteJob(bytes.length, false, undefined, chunks));
    else if (this.#join(chunks, bytes.length) === undefined) this.#add(this.#jobOf(chunks, bytes.length, undefined));
    if (this.#queuedBytes >= GATHERED_TOGETHER_BYTES) this.#pump();
  }

  /** Hands over what was gathered. */
  handOver(): void {
    this.#pump();
  }

  /**
   * Sends what a framed writer has gathered, `bytes` in all; resolves when the kernel has it. Never too much: the writer has
   * its own bound, and has told its callers already that their messages were taken.
   */
  writeGathered(chunks: readonly Uint8Array[], bytes: number): Promise<void> {
    if (this.state !== "open") return rejectedQuietly(this.whyNot("send"));
    if (!this.busy && bytes <= SLICE_BYTES) return this.#writeNow(chunks, bytes);
    return this.#enqueue(chunks, bytes, undefined).promise;
  }

  /** Sends FIN behind all that was accepted; resolves when the kernel has it. */
  end(): Promise<void> {
    if (this.#finish !== undefined) return this.#finish.promise;
    if (this.state === "failed") return rejectedQuietly(this.whyNot("end"));
    this.gatherer?.handOverAll();
    let resolve = (): void => undefined;
    let reject = (_reason: unknown): void => undefined;
    const promise = new Promise<void>((yes, no) => {
      resolve = yes;
      reject = no;
    });
    this.#finish = { promise: handled(promise), resolve, reject };
    this.state = "ending";
    if (!this.busy) this.#sendFin();
    return promise;
  }

  /** The connection is lost, or was given up: everything that waits rejects. */
  fail(error: ZocaloError): void {
    if (this.state === "failed") return;
    const wasEnded = this.state === "ended";
    this.state = "failed";
    this.#error = error;
    this.#inFlight = 0;
    this.#queuedBytes = 0;
    this.#heldBytes = 0;
    this.#jobs?.rejectAll((job) => {
      void handled(job.promise);
      return this.#restate(error, "write", job.remaining === job.bytes ? "none" : "unknown");
    });
    if (!wasEnded) this.#finish?.reject(this.#restate(error, "end", "unknown"));
  }

  /** The usual case: nothing waits, and the kernel most often has room. */
  #writeNow(chunks: readonly Uint8Array[], bytes: number): Promise<void> {
    if (this.#handOver(chunks, bytes)) {
      this.bytesSent += bytes;
      return FULFILLED;
    }
    const job = new WriteJob(bytes, false, undefined);
    job.remaining = 0;
    this.#add(job);
    this.#owner.blocked();
    return job.promise;
  }

  /** Puts a small write to the one before it, if that waits and has room: one promise is for both. */
  #join(chunks: readonly Uint8Array[], bytes: number): Promise<void> | undefined {
    const job = this.#jobs?.last;
    const { room } = job ?? {};
    if (job === undefined || room === undefined) return undefined;
    if (job.remaining < job.bytes || job.bytes + bytes > room.length) return undefined;
    fill(job, room, chunks, bytes);
    this.#queuedBytes += bytes;
    return job.promise;
  }

  #add(job: WriteJob): void {
    this.#jobs ??= new WaitQueue();
    this.#jobs.add(job);
    this.#queuedBytes += job.bytes;
    this.#heldBytes += job.heldBytes;
  }

  #enqueue(chunks: readonly Uint8Array[], bytes: number, options: OperationOptions | undefined): WriteJob {
    const job = this.#jobOf(chunks, bytes, options);
    this.#add(job);
    this.#pump();
    return job;
  }

  #jobOf(chunks: readonly Uint8Array[], bytes: number, options: OperationOptions | undefined): WriteJob {
    const cancellable = options?.signal !== undefined || options?.timeoutMs !== undefined;
    const roomBytes = Math.min(LARGEST_ROOM_BYTES, Math.max(SMALLEST_ROOM_BYTES, bytes, this.#queuedBytes));
    const room = cancellable || bytes > GATHERED_BYTES ? undefined : Buffer.allocUnsafeSlow(roomBytes);
    const job = new WriteJob(room === undefined ? bytes : 0, cancellable, room);
    if (room === undefined) job.chunks = chunks;
    else fill(job, room, chunks, bytes);
    job.deadline = Deadline.of(this.#owner.clock, options, (cause) => this.#cancel(job, cause));
    return job;
  }

  #cancel(job: WriteJob, cause: number | AbortSignal): void {
    const begun = job.remaining < job.bytes;
    void handled(job.promise);
    job.reject(expiryReason(cause, this.#owner.context("write"), begun ? "all" : "none"));
    if (begun) {
      // All or nothing: the rest is sent in the background, from a copy, since the caller may reuse its input now.
      job.chunks = takeChunks(job, job.remaining).map((chunk) => Uint8Array.prototype.slice.call(chunk));
      job.index = 0;
      job.offset = 0;
      job.remaining = job.chunks.reduce((sum, chunk) => sum + chunk.length, 0);
      return;
    }
    this.#jobs?.remove(job);
    this.#queuedBytes -= job.bytes;
    this.#heldBytes -= job.heldBytes;
  }

  /** Hands the next slice to the transport while that takes it at once. */
  #pump(): void {
    while (this.#inFlight === 0 && this.#jobs?.first !== undefined) {
      const chunks: Uint8Array[] = [];
      let bytes = 0;
      for (let job: WriteJob | undefined = this.#jobs.first; job !== undefined && bytes < SLICE_BYTES; job = job.next) {
        for (const chunk of takeChunks(job, SLICE_BYTES - bytes)) {
          bytes += chunk.length;
          // Who can end a write early may get its input back before the kernel has it.
          chunks.push(job.deadline === undefined ? chunk : Uint8Array.prototype.slice.call(chunk));
        }
      }
      if (!this.#handOver(chunks, bytes)) {
        this.#owner.blocked();
        return;
      }
      this.#settleSent(bytes);
    }
    if (this.state === "ending" && !this.busy) this.#sendFin();
  }

  /** Gives a slice to the transport; true when the kernel has it at once, else `#taken` is called later. */
  #handOver(chunks: readonly Uint8Array[], bytes: number): boolean {
    this.#inFlight = bytes;
    // A function for each slice, so that an idle connection has none.
    if (!this.#owner.transport.write(chunks, (error) => this.#taken(error))) return false;
    this.#inFlight = 0;
    return true;
  }

  #taken(error: unknown): void {
    if (error !== undefined || this.state === "failed") return;
    const taken = this.#inFlight;
    this.#inFlight = 0;
    this.#settleSent(taken);
    this.#pump();
  }

  #settleSent(bytes: number): void {
    this.bytesSent += bytes;
    this.#queuedBytes -= bytes;
    while (this.#jobs?.first?.remaining === 0) {
      const job = this.#jobs?.take() as WriteJob;
      job.resolve();
      this.#heldBytes -= job.heldBytes;
    }
  }

  #sendFin(): void {
    this.#owner.transport.end((error) => {
      if (error !== undefined || this.state !== "ending") return;
      this.state = "ended";
      this.#finish?.resolve();
    });
  }

  /** Why nothing can be sent any more. */
  whyNot(op: string): ZocaloError {
    if (this.#error !== undefined) return this.#restate(this.#error, op, "none");
    const detail = "this side has ended; nothing can be written after end() or close()";
    return new ConnectionError("CLOSED", { ...this.#owner.context(op), detail, outcome: "none" });
  }

  /** The end of the connection, as the answer to one call. */
  #restate(error: ZocaloError, op: string, outcome: ErrorOutcome): ZocaloError {
    return restated(error, this.#owner.context(op), outcome);
  }
}

/** Puts a small write into the room of a job that has not begun. */
function fill(job: WriteJob, room: Buffer, chunks: readonly Uint8Array[], bytes: number): void {
  for (const chunk of chunks) {
    room.set(chunk, job.bytes);
    job.bytes += chunk.length;
  }
  job.remaining += bytes;
  job.chunks = [room.subarray(0, job.bytes)];
}

/** Takes at most `maxBytes` of what a job has left, without copying. */
function takeChunks(job: WriteJob, maxBytes: number): Uint8Array[] {
  const out: Uint8Array[] = [];
  let room = maxBytes;
  while (room > 0 && job.index < job.chunks.length) {
    const chunk = job.chunks[job.index] as Uint8Array;
    const count = Math.min(room, chunk.length - job.offset);
    if (count > 0) out.push(count === chunk.length ? chunk : chunk.subarray(job.offset, job.offset + count));
    job.offset += count;
    job.remaining -= count;
    room -= count;
    if (job.offset < chunk.length) break;
    job.index += 1;
    job.offset = 0;
  }
  return out;
}

/** The pieces of what a program sends. */
export function chunksOf(data: unknown, context: () => OperationContext): Uint8Array[] {
  if (typeof data === "string") return [textBytes(data, "data", context)];
  if (data instanceof Uint8Array) return [data];
  if (Array.isArray(data)) {
    const chunks: Uint8Array[] = [];
    // A hole counts as undefined, and is refused as that.
    for (const piece of data as readonly unknown[]) for (const chunk of chunksOf(piece, context)) chunks.push(chunk);
    return chunks;
  }
  const detail = "data must be a string, a Uint8Array, or an array of them";
  throw new UsageError("OPTION_INVALID", { ...context(), detail, outcome: "none" });
}

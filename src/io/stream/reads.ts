/** The kinds of read that a connection offers, each as a request to its {@link Inbound}. */

import type { ByteQueue } from "../../core/bytes/byte-queue.ts";
import { lastingCopy } from "../../core/bytes/own-bytes.ts";
import { EndOfStreamError, ProtocolError, TimeoutError, UsageError } from "../../core/errors.ts";
import {
  checkOptions,
  countFrom,
  FLAG,
  OPERATION_RULES,
  optionInvalid,
  type OptionRule,
  RECEIVE_RULES,
  type RulesOf,
  shown,
  wholeNumber,
} from "../../core/options/check-options.ts";
import { quoted } from "../../core/peer-error.ts";
import type { StreamPartOwner } from "./owner.ts";
import type { OperationContext, ReceiveOptions } from "../operation/deadline.ts";
import { handled } from "../operation/handled-rejection.ts";
import type { Inbound, ReadRequest } from "./inbound.ts";
import type { Expected, ExpectOptions, PeekRange, ReadOptions, ReadUntilOptions } from "./public.ts";
import { DONE, Iteration } from "../operation/iteration.ts";

/** What the options of `read` must look like. */
export const READ_RULES: RulesOf<ReadOptions> = { ...RECEIVE_RULES, maxBytes: countFrom(1) };

/** What the options of `readUntil` must look like. */
export const READ_UNTIL_RULES: RulesOf<ReadUntilOptions> = { ...OPERATION_RULES, maxBytes: countFrom(1) };

/** As many bytes as are there. */
export function readSome(maxBytes: number): ReadRequest<Buffer | null> {
  return {
    op: "read",
    needBytes: 1,
    take: (queue) => queue.shift(maxBytes),
    finish: () => null,
    direct: (view) => {
      const used = Math.min(view.length, maxBytes);
      return { value: lastingCopy(used === view.length ? view : view.subarray(0, used)), used };
    },
    end: null,
  };
}

/** The request of a plain `read()`, which needs no state of its own. */
export const READ_ANY: ReadRequest<Buffer | null> = readSome(Number.POSITIVE_INFINITY);

/** The answer to a target that takes no bytes: an error in its turn, before any byte is touched. */
function refuseTarget(owner: StreamPartOwner): ReadRequest<number | null> {
  const refuse = (): never => {
    const detail = "target must be a Buffer or a Uint8Array";
    throw new UsageError("OPTION_INVALID", { ...owner.context("readInto"), detail });
  };
  return { op: "readInto", needBytes: 0, take: refuse, finish: refuse, end: null };
}

/** As many bytes as are there, again and again. */
export function readLoop(inbound: Inbound, options: ReceiveOptions | undefined): Iteration<Buffer> {
  const steps: ReadRequest<IteratorResult<Buffer, undefined>> = {
    op: "read",
    needBytes: 1,
    take: (queue) => ({ done: false, value: queue.shift(Number.POSITIVE_INFINITY) as Buffer }),
    finish: () => DONE,
    direct: (view) => ({ value: { done: false, value: lastingCopy(view) }, used: view.length }),
    end: DONE,
  };
  return new Iteration(
    () => inbound.read(steps, options),
    () => inbound.withdraw(steps),
  );
}

/** Bytes into the caller's buffer. */
export function readInto(target: Uint8Array, owner: StreamPartOwner): ReadRequest<number | null> {
  if (!(target instanceof Uint8Array)) return refuseTarget(owner);
  return {
    op: "readInto",
    needBytes: target.length === 0 ? 0 : 1,
    take: (queue) => queue.copyTo(target),
    finish: () => null,
    direct: (view) => {
      const used = Math.min(view.length, target.length);
      target.set(used === view.length ? view : view.subarray(0, used), 0);
      return { value: used, used };
    },
    end: null,
  };
}

/** Exactly `count` bytes. */
export function readExactly(count: number, owner: StreamPartOwner): ReadRequest<Buffer> {
  if (!Number.isSafeInteger(count) || count < 0) {
    const detail = `count must be a whole number of bytes from 0 on, not ${shown(count)}`;
    throw new UsageError("OPTION_INVALID", { ...owner.context("readExactly"), detail });
  }
  return {
    op: "readExactly",
    needBytes: count,
    take: (queue) => (queue.length >= count ? queue.take(count) : undefined),
    direct: (view) => (view.length < count ? undefined : { value: lastingCopy(view.subarray(0, count)), used: count }),
    finish: (queue) =>
      endOfStream(queue, `the peer ended after ${queue.length} of ${count} bytes`, owner.context("readExactly")),
  };
}

const PEEK_RULES: RulesOf<PeekRange> = { min: wholeNumber(0, Number.MAX_SAFE_INTEGER), max: countFrom(0) };

/** A copy of the first bytes, at most `maxBytes`, which stay in the queue. */
function lookAt(queue: ByteQueue, maxBytes: number): Buffer {
  const bytes = queue.take(Math.min(maxBytes, queue.length));
  queue.unshift(bytes);
  return bytes;
}

/** The next bytes, not taken. */
export function peek(bytes: number | PeekRange, owner: StreamPartOwner): ReadRequest<Buffer> {
  const context = owner.context("peek");
  const given = typeof bytes === "number" ? { min: bytes, max: bytes } : bytes;
  const { max = Number.POSITIVE_INFINITY, min = Math.min(1, max) } = checkOptions(context, given, PEEK_RULES);
  if (min > max) throw optionInvalid(context, `max (${max}) must be at least min (${min})`);
  const show = (queue: ByteQueue): Buffer => lookAt(queue, max);
  return {
    op: "peek",
    needBytes: min,
    take: (queue) => (queue.length >= min ? show(queue) : undefined),
    finish: show,
  };
}

/** Bytes up to and including a delimiter. The search goes on where it stopped, so that time stays linear. */
export function readUntil(delimiter: Uint8Array, maxBytes: number, owner: StreamPartOwner): ReadRequest<Buffer> {
  if (!(delimiter instanceof Uint8Array) || delimiter.length === 0 || maxBytes < delimiter.length) {
    const detail = "delimiter must be a string or bytes and not empty, and maxBytes at least its length";
    throw new UsageError("OPTION_INVALID", { ...owner.context("readUntil"), detail });
  }
  let searched = 0;
  return {
    op: "readUntil",
    needBytes: maxBytes,
    take: (queue) => {
      const at = queue.indexOf(delimiter, searched);
      if (at !== -1 && at + delimiter.length <= maxBytes) return queue.take(at + delimiter.length);
      searched = Math.max(0, queue.length - delimiter.length + 1);
      if (at === -1 && queue.length < maxBytes) return undefined;
      const detail = `the delimiter did not come within ${maxBytes} bytes; raise maxBytes, or drop the peer`;
      throw new ProtocolError("DELIMITER_NOT_FOUND", { ...owner.context("readUntil"), detail });
    },
    finish: (queue) =>
      endOfStream(
        queue,
        `the peer ended after ${queue.length} bytes without the delimiter`,
        owner.context("readUntil"),
      ),
  };
}

function endOfStream(queue: ByteQueue, detail: string, context: OperationContext): never {
  throw new EndOfStreamError({ ...context, detail, partial: queue.take(queue.length) });
}

const EXPECT_BYTES = 8192;
/** How much of what came instead an error shows. */
const SHOWN_BYTES = 200;
const LF = Buffer.from("\n");

const EXPECT_RULES: RulesOf<ExpectOptions> = {
  ...OPERATION_RULES,
  maxBytes: wholeNumber(1, Number.MAX_SAFE_INTEGER),
  prompt: FLAG,
};
const PATTERN: OptionRule = {
  wanted: "a regular expression",
  holds: (value) => value instanceof RegExp,
  required: true,
};

/** The connection that is read. */
interface Speaker extends StreamPartOwner {
  readonly inbound: Inbound;
}

/** Reads up to the line that `pattern` matches. */
export async function expectText(socket: Speaker, pattern: RegExp, given: ExpectOptions = {}): Promise<Expected> {
  const context = socket.context("expect");
  const { maxBytes = EXPECT_BYTES, prompt = false, ...operation } = checkOptions(context, given, EXPECT_RULES);
  checkOptions(context, { pattern }, { pattern: PATTERN });
  try {
    return await handled(socket.inbound.read(lineThat(pattern, maxBytes, prompt, socket), operation));
  } catch (error) {
    // The reason of a signal stays as it is (docs/semantics.md, rule A4).
    if (!(error instanceof TimeoutError) || error === operation.signal?.reason) throw error;
    const detail = `${error.detail}: ${missed(pattern, socket.inbound.queue)}`;
    throw new TimeoutError("TIMEOUT", { ...context, detail, outcome: error.outcome });
  }
}

function lineThat(pattern: RegExp, maxBytes: number, prompt: boolean, owner: StreamPartOwner): ReadRequest<Expected> {
  // With `g` or `y` a pattern would remember where it was in another line.
  const search = new RegExp(pattern.source, pattern.flags.replaceAll(/[gy]/g, ""));
  const before: string[] = [];
  /** How many bytes are in `before`, and how many were searched for the end of a line. */
  let tested = 0;
  let searched = 0;
  const look = (queue: ByteQueue, ended: boolean): Expected | undefined => {
    const hasLine = queue.indexOf(LF, searched) !== -1;
    searched = queue.length;
    if (!hasLine && !prompt && !ended && queue.length < maxBytes) return undefined;
    const bytes = lookAt(queue, maxBytes);
    const test = (end: number, next: number): Expected | undefined => {
      const line = bytes.toString("utf8", tested, end);
      const match = search.exec(line);
      if (match === null) return undefined;
      queue.take(next);
      return { line, match, before };
    };
    for (let end = bytes.indexOf(LF, tested); end !== -1; end = bytes.indexOf(LF, tested)) {
      const textEnd = end > tested && bytes[end - 1] === 0x0d ? end - 1 : end;
      const found = test(textEnd, end + 1);
      if (found !== undefined) return found;
      before.push(bytes.toString("utf8", tested, textEnd));
      tested = end + 1;
    }
    const last = (prompt || ended) && tested < bytes.length ? test(bytes.length, bytes.length) : undefined;
    if (last !== undefined || ended || queue.length < maxBytes) return last;
    const detail = `within ${maxBytes} bytes ${missed(pattern, queue)}; raise maxBytes, or drop the peer`;
    throw new ProtocolError("DELIMITER_NOT_FOUND", { ...owner.context("expect"), detail });
  };
  return {
    op: "expect",
    needBytes: maxBytes,
    take: (queue) => look(queue, false),
    finish: (queue) => {
      const found = look(queue, true);
      if (found !== undefined) return found;
      const detail = `the peer ended: ${missed(pattern, queue)}`;
      throw new EndOfStreamError({ ...owner.context("expect"), detail, partial: queue.take(queue.length) });
    },
  };
}

/** What came instead: the end of it, since that is what the peer said last. */
function missed(pattern: RegExp, queue: ByteQueue): string {
  const none = `no line came that ${String(pattern)} matches`;
  if (queue.length === 0) return `${none}, and nothing else`;
  const tail = lookAt(queue, queue.length).subarray(-SHOWN_BYTES);
  return `${none}; the last ${tail.length} of ${queue.length} bytes are ${quoted(String(tail))}`;
}

/** The kinds of read that a connection offers, each as a request to its {@link Inbound}. */

import type { ByteQueue } from "../../core/bytes/byte-queue.ts";
import { lastingCopy } from "../../core/bytes/own-bytes.ts";
import { EndOfStreamError, ProtocolError, UsageError } from "../../core/errors.ts";
import {
  checkOptions,
  countFrom,
  OPERATION_RULES,
  optionInvalid,
  RECEIVE_RULES,
  type RulesOf,
  shown,
  wholeNumber,
} from "../../core/options/check-options.ts";
import type { StreamPartOwner } from "./owner.ts";
import type { OperationContext, ReceiveOptions } from "../operation/deadline.ts";
import type { Inbound, ReadRequest } from "./inbound.ts";
import type { PeekRange, ReadOptions, ReadUntilOptions } from "./public.ts";
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

/** A copy of the next bytes, which stay. */
export function peek(bytes: number | PeekRange, owner: StreamPartOwner): ReadRequest<Buffer> {
  const context = owner.context("peek");
  const given = typeof bytes === "number" ? { min: bytes, max: bytes } : bytes;
  const { max = Number.POSITIVE_INFINITY, min = Math.min(1, max) } = checkOptions(context, given, PEEK_RULES);
  if (min > max) throw optionInvalid(context, `max (${max}) must be at least min (${min})`);
  const show = (queue: ByteQueue): Buffer => {
    const shownBytes = queue.take(Math.min(max, queue.length));
    queue.unshift(shownBytes);
    return shownBytes;
  };
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

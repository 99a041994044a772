/** Who was not served for lack of room, until there is some. */

import { FifoMap } from "../fifo-map.ts";

/** In place of the id of a stream, those that ask for something new: events, calls and streams that are not open. */
export const REQUESTS = 0;
/** Why a request was not taken though the replay buffer has room; bits, because there may be several. */
export const NO_CREDIT = 1;
export const TOO_MANY_CALLS = 2;
export const TOO_MANY_STREAMS = 4;

/** Who waits, in the order in which they came. Who waits for the credit of a stream is not here before there is some. */
export class RoomQueue {
  /** Whether somebody waits for something. */
  waits = false;
  /** Why requests were not taken since they were told of room. */
  #refusals = 0;
  /** Who waits for nothing but room in the replay buffer. */
  #queue: FifoMap<number, true> | undefined;

  /** A request was not taken for a reason of its own. */
  refuse(why: number): 0 {
    this.#refusals |= why;
    this.waits = true;
    return 0;
  }

  /** A stream, or requests, wait for room in the replay buffer. */
  enqueue(id: number): void {
    this.#queue ??= new FifoMap();
    this.#queue.add(id, true);
    this.waits = true;
  }

  /** Reasons are over for which requests may have been refused. */
  over(reasons: number): void {
    if ((this.#refusals & reasons) === 0) return;
    this.#refusals = 0;
    this.enqueue(REQUESTS);
  }

  /** There is room: takes the next one out; undefined when there is none. */
  take(): number | undefined {
    const id = this.#queue?.first();
    if (id === undefined) {
      this.#queue = undefined;
      this.waits = this.#refusals !== 0;
    } else this.#queue?.delete(id);
    return id;
  }

  /** Nobody waits any more. */
  clear(): void {
    this.waits = false;
    this.#refusals = 0;
    this.#queue = undefined;
  }
}

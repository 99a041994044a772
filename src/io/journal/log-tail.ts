/** Tells a follower what is in a log that is read page by page. */

import type { Clock, Timer } from "../network/network.ts";
import type { Following, LogFollower, SharedEntry } from "./journal.ts";
import type { Published } from "./publish-queue.ts";

/** After a page that could not be read. */
const RETRY_MS = 100;

/** What stands behind a place. */
export interface LogPage {
  /** Everything up to here is not kept any more, if this is behind the place. */
  readonly lostPlace: number;
  /** Of the newest entry. The log was made anew if this is before the place. */
  readonly lastPlace: number;
  /** The entries that follow, some of them; none when there is nothing yet, or when some are lost. */
  readonly entries: readonly SharedEntry[];
  /** What was published since the page before. */
  readonly published?: readonly Published[];
}

/** A follower, until it is stopped. */
export class LogTail implements Following {
  readonly behind: number;
  readonly #clock: Clock;
  readonly #follower: LogFollower;
  #stopped = false;
  #pause: { readonly timer: Timer; readonly end: () => void } | undefined;

  constructor(clock: Clock, behind: number, follower: LogFollower) {
    this.#clock = clock;
    this.behind = behind;
    this.#follower = follower;
  }

  stop(): void {
    this.#stopped = true;
    this.wake();
  }

  /** Tells what stands in no log. */
  published(topic: string, body: Uint8Array): void {
    if (!this.#stopped) this.#follower.published?.(topic, body);
  }

  /** Ends a pause. */
  wake(): void {
    this.#pause?.timer.cancel();
    this.#pause?.end();
    this.#pause = undefined;
  }

  /** Reads until it is stopped. Where there is nothing, it asks again after `pauseMs`, or when it is woken. */
  async run(read: (behind: number) => LogPage | Promise<LogPage>, pauseMs: number): Promise<void> {
    let place = this.behind;
    while (!this.#stopped) {
      let page: LogPage | undefined;
      try {
        page = await read(place);
      } catch {
        // The store is away: it is asked again, for as long as anybody follows.
      }
      // It may have been stopped while the page was read.
      if (this.#stopped) return;
      for (const { topic, body } of page?.published ?? []) this.published(topic, body);
      if (this.#stopped) return;
      if (page === undefined) await this.#wait(RETRY_MS);
      else if (page.lostPlace > place || page.lastPlace < place) {
        place = page.lostPlace > place ? page.lostPlace : page.lastPlace;
        this.#follower.gap(place);
      } else if (page.entries.length > 0) {
        place = page.entries.at(-1)?.place ?? place;
        this.#follower.entries(page.entries);
      } else if (pauseMs > 0) await this.#wait(pauseMs);
    }
  }

  #wait(pauseMs: number): Promise<void> {
    return new Promise((end) => {
      this.#pause = { timer: this.#clock.setTimer(() => this.wake(), pauseMs, true), end };
    });
  }
}

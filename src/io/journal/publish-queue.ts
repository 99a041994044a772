/** What is published and not sent yet: bounded, as nobody waits for it. */

/** A message that is stored nowhere. */
export interface Published {
  readonly topic: string;
  readonly body: Uint8Array;
}

/** A longer body is dropped. */
export const MAX_PUBLISHED_BYTES = 65_536;
const MAX_WAITING = 1_024;
const MAX_WAITING_BYTES = 4_194_304;

/** Sends in batches, one at a time. What comes while there is no room is dropped, and so is a batch that cannot be sent. */
export class PublishQueue {
  readonly #send: (batch: readonly Published[]) => Promise<unknown>;
  #waiting: Published[] = [];
  #waitingBytes = 0;
  #sending = false;

  constructor(send: (batch: readonly Published[]) => Promise<unknown>) {
    this.#send = send;
  }

  push(topic: string, body: Uint8Array): void {
    const bytes = topic.length + body.length;
    if (body.length > MAX_PUBLISHED_BYTES || this.#waiting.length >= MAX_WAITING) return;
    if (this.#waitingBytes + bytes > MAX_WAITING_BYTES) return;
    this.#waiting.push({ topic, body: Uint8Array.from(body) });
    this.#waitingBytes += bytes;
    if (!this.#sending) void this.#run();
  }

  async #run(): Promise<void> {
    this.#sending = true;
    // What is published in the same turn is one batch.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      this.#waitingBytes = 0;
      await this.#send(batch).catch(() => undefined);
    }
    this.#sending = false;
  }
}

/** The rate at which messages come. */

/** Counts messages, touches each, and times those behind the warm-up. */
export class Meter {
  #seen = 0;
  #sum = 0;
  #startedAt = 0;
  #cpu = process.cpuUsage();
  #heap = 0;
  readonly #warmUp: number;

  constructor(warmUp: number) {
    this.#warmUp = warmUp;
  }

  touch(first: number, last: number): void {
    this.#sum += first + last;
    this.#seen += 1;
    if (this.#seen !== this.#warmUp) return;
    this.#startedAt = performance.now();
    this.#cpu = process.cpuUsage();
    this.#heap = process.memoryUsage().heapUsed;
  }

  figures(): { rate: number; cpu: number; heap: number } {
    const seconds = (performance.now() - this.#startedAt) / 1000;
    const { user, system } = process.cpuUsage(this.#cpu);
    const counted = this.#seen - this.#warmUp;
    if (this.#sum !== this.#seen * 6) throw new Error("a message was not what was sent");
    return { rate: counted / seconds, cpu: ((user + system) * 1000) / counted, heap: this.#heap };
  }
}

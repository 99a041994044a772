/** What is under way in one direction of a connection: in its order, each with the time when it is due. */

/** What a piece costs beside its bytes, so that many small ones do not fill the memory. */
const PIECE_BYTES = 256;
const NOTHING: Uint8Array = new Uint8Array(0);

/** Bytes that wait, or what follows them. */
interface Item {
  readonly kind: "bytes" | "end" | "close" | "lost";
  readonly bytes: Uint8Array;
  dueUs: number;
  /** It came during silence, and waits for its end. */
  readonly held: boolean;
  next: Item | undefined;
}

/** Bytes that were taken out, and what they counted. */
export interface DueBytes {
  readonly pieces: readonly Uint8Array[];
  readonly bytes: number;
  readonly cost: number;
}

/** The queue. Pure: the time is an argument. */
export class StreamQueue {
  /** Nothing passes: what comes now, and what came since it is so, waits. */
  isSilent = false;
  /** Bytes under way, those that are being written included, and 256 more for each piece. */
  cost = 0;
  #head: Item | undefined;
  #last: Item | undefined;

  get isEmpty(): boolean {
    return this.#head === undefined;
  }

  /** What is next; undefined while silence holds it back. */
  get next(): Pick<Item, "kind" | "dueUs"> | undefined {
    return this.#head?.held === true && this.isSilent ? undefined : this.#head;
  }

  add(kind: Item["kind"], dueUs: number, bytes: Uint8Array = NOTHING): void {
    const item: Item = { kind, bytes, dueUs, held: this.isSilent, next: undefined };
    if (this.#head === undefined || this.#last === undefined) this.#head = item;
    else this.#last.next = item;
    this.#last = item;
    this.cost += bytes.length + PIECE_BYTES;
  }

  /** Takes out bytes that are due, `most` pieces of them. They are counted in `cost` until they are written. */
  take(nowUs: number, most: number = Number.POSITIVE_INFINITY): DueBytes {
    const pieces: Uint8Array[] = [];
    let bytes = 0;
    while (this.#head?.kind === "bytes" && pieces.length < most) {
      const item: Item = this.#head;
      if (item.dueUs > nowUs || (item.held && this.isSilent)) break;
      pieces.push(item.bytes);
      bytes += item.bytes.length;
      this.#head = item.next;
    }
    return { pieces, bytes, cost: bytes + pieces.length * PIECE_BYTES };
  }

  /** Everything is due now, at the latest. */
  hurry(nowUs: number): void {
    for (let item = this.#head; item !== undefined; item = item.next) item.dueUs = Math.min(item.dueUs, nowUs);
  }

  clear(): void {
    this.#head = undefined;
  }
}

/** Reads entries of the log that are not in memory any more, or not yet: one piece at a time, whoever asks for it. */

import type { Following, SessionJournal, SharedEntry } from "../../journal/journal.ts";

/** A piece ends with the entry that makes it so long. */
const PIECE_BYTES = 4_194_304;

/** What was read: the entries behind a place, up to another. */
export interface PastPiece {
  readonly behind: number;
  readonly upTo: number;
  readonly entries: readonly SharedEntry[];
}

/** Who reads. */
export interface PastOwner {
  /** Behind this place everything is in memory. */
  lost(): number;
  /** A piece was read; it is kept until the next one is read. */
  read(piece: PastPiece): void;
  /** The journal does not have what stands between these places any more. */
  gap(behind: number, place: number): void;
  /** It could not be read at all: the journal is not open. */
  failed(error: unknown): void;
}

/** The reading of one server. */
export class LogPast {
  /** The piece that was read last. */
  piece: PastPiece | undefined;
  readonly #journal: Pick<SessionJournal, "follow">;
  readonly #owner: PastOwner;
  #isReading = false;
  #following: Following | undefined;
  #isOver = false;

  constructor(journal: Pick<SessionJournal, "follow">, owner: PastOwner) {
    this.#journal = journal;
    this.#owner = owner;
  }

  /** Whether what follows a place is in the piece that was read last. */
  has(place: number): boolean {
    return this.piece !== undefined && place >= this.piece.behind && place < this.piece.upTo;
  }

  /** Reads what follows a place. While something is being read, nothing happens: ask again when that is told. */
  async read(behind: number): Promise<void> {
    if (this.#isReading || this.#isOver) return;
    this.#isReading = true;
    this.piece = undefined;
    const entries: SharedEntry[] = [];
    let bytes = 0;
    let isDone = false;
    const done = (tell: () => void): void => {
      if (isDone) return;
      isDone = true;
      this.#following?.stop();
      this.#following = undefined;
      this.#isReading = false;
      if (!this.#isOver) tell();
    };
    try {
      const following = await this.#journal.follow(behind, {
        entries: (more) => {
          if (isDone) return;
          for (const entry of more) bytes += entry.body.length;
          entries.push(...more);
          const upTo = entries.at(-1)?.place ?? behind;
          if (upTo < this.#owner.lost() && bytes < PIECE_BYTES) return;
          this.piece = { behind, upTo, entries };
          done(() => this.#owner.read({ behind, upTo, entries }));
        },
        gap: (place) => done(() => this.#owner.gap(behind, place)),
      });
      if (isDone || this.#isOver) following.stop();
      else this.#following = following;
    } catch (error) {
      done(() => this.#owner.failed(error));
    }
  }

  stop(): void {
    this.#isOver = true;
    this.#following?.stop();
  }
}

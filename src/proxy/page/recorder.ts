/** The recording of the page: what goes wrong as a schedule, and what passes as a capture, of which memory holds a part. */

import type { CaptureOptions, FaultProxies, ProxyRecording } from "../public.ts";
import type { ProxySchedule } from "../schedule.ts";
import type { CapturedRow, RecordingRow } from "./wire.ts";

/** What a capture may have; then it loses what comes. Larger ones write to a file: `zocalo proxy --capture`. */
const MOST_CAPTURE_BYTES = 33_554_432;

/** Records one thing at a time; it stays there until the next one. */
export class Recorder {
  /** What is recorded: the same object as long as that does not change. */
  row: RecordingRow = { state: "none", beganAtMs: 0, schedule: undefined };
  readonly #running: FaultProxies;
  #recording: ProxyRecording | undefined;
  #stopCapture: (() => void) | undefined;
  #blocks: Uint8Array[] = [];
  #bytes = 0;
  #lost = 0;

  constructor(running: FaultProxies) {
    this.#running = running;
  }

  /** Begins a new one; the one before is gone. @param options - What time it is now. */
  begin(options: CaptureOptions): void {
    this.stop();
    this.row = { state: "none", beganAtMs: 0, schedule: undefined };
    this.#blocks = [];
    this.#bytes = 0;
    this.#lost = 0;
    this.#recording = undefined;
    // It refuses a wrong time, before anything is recorded.
    this.#stopCapture = this.#running.capture((block) => this.#keep(block), options);
    this.#recording = this.#running.record();
    this.row = { state: "on", beganAtMs: this.#recording.beganAtMs, schedule: undefined };
  }

  /** Harmless when nothing is recorded. */
  stop(): void {
    this.#stopCapture?.();
    this.#stopCapture = undefined;
    if (this.#recording === undefined || this.row.state !== "on") return;
    this.row = { ...this.row, state: "stopped", schedule: this.#recording.stop() };
  }

  get schedule(): ProxySchedule | undefined {
    return this.#recording?.schedule;
  }

  /** What is captured so far; empty when nothing was recorded. */
  get capture(): Buffer {
    return Buffer.concat(this.#blocks);
  }

  /** How much of what passed it has. */
  get captured(): CapturedRow {
    return { bytes: this.#bytes, lost: this.#lost };
  }

  #keep(block: Uint8Array): void {
    // Nothing comes behind a gap: a packet may need the block that is lost.
    if (this.#lost > 0 || this.#bytes + block.length > MOST_CAPTURE_BYTES) {
      this.#lost += 1;
      return;
    }
    this.#blocks.push(Uint8Array.from(block));
    this.#bytes += block.length;
  }
}

/** How a page hears of what happens: a stream of events that the browser reads. */

import { FrameBatch } from "./frame-batch.ts";

/** Whether events come: `lost` while the page tries again, `full` while too many pages have them, `over` when it has given up. */
export type LinkState = "open" | "lost" | "full" | "over";

/** What one hears of a stream of events. */
export interface Listener<T> {
  /** All rows that have come since the last picture, in one call for each picture. `dropped` is how many of them were too many. */
  readonly rows: (rows: readonly T[], dropped: number) => void;
  readonly state: (state: LinkState) => void;
}

/** A page that has found no place asks for one so often. */
const AGAIN_MS = 3000;

/** Listens to events until the answer is called. */
export function listen<T>(address: string, { rows, state }: Listener<T>): () => void {
  const batch = new FrameBatch<T>();
  const left = new AbortController();
  let frame: number | undefined;
  const deliver = (): void => {
    frame = undefined;
    const { rows: taken, dropped } = batch.take();
    rows(taken, dropped);
  };
  const begin = (): void => {
    if (left.signal.aborted) return;
    const source = new EventSource(address);
    left.signal.addEventListener("abort", () => source.close());
    const failed = async (): Promise<void> => {
      const next = source.readyState === EventSource.CLOSED ? await whyClosed(address) : "lost";
      if (left.signal.aborted) return;
      state(next);
      if (source.readyState === EventSource.CLOSED && next !== "over") setTimeout(begin, AGAIN_MS);
    };
    source.addEventListener("open", () => state("open"));
    source.addEventListener("error", () => void failed());
    source.addEventListener("message", ({ data }: MessageEvent<string>) => {
      batch.add(JSON.parse(data) as T);
      frame ??= requestAnimationFrame(deliver);
    });
  };
  begin();
  return () => {
    left.abort();
    if (frame !== undefined) cancelAnimationFrame(frame);
  };
}

/** Why the browser has given up; a stream of events does not say what the server has answered. */
async function whyClosed(address: string): Promise<LinkState> {
  const asking = new AbortController();
  try {
    const { ok, status } = await fetch(address, { signal: asking.signal });
    if (status === 503) return "full";
    return ok ? "lost" : "over";
  } catch {
    return "over";
  } finally {
    asking.abort();
  }
}

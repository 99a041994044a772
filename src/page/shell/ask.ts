/** How a page asks its server: with the token that stands in its own address. */

import { FrameBatch } from "./frame-batch.ts";

/** What the server says when it does not do what it is asked, in its words. */
export class Refused extends Error {}

function token(): string {
  return new URLSearchParams(location.search).get("token") ?? "";
}

/** Asks, and answers the JSON of the answer; undefined where there is none. Rejects with {@link Refused}. */
export async function ask(method: string, path: string, body?: unknown): Promise<unknown> {
  const headers = { "x-zocalo-token": token() };
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  const answer = await fetch(path, { method, headers, ...sent });
  const text = await answer.text();
  const json: unknown = text === "" ? undefined : JSON.parse(text);
  if (answer.ok) return json;
  throw new Refused((json as { readonly error?: string } | undefined)?.error ?? `${answer.status}`);
}

/** The address of something that the browser itself loads: a download, a stream of events. */
export function addressOf(path: string, query: Readonly<Record<string, string>> = {}): string {
  return `${path}?${new URLSearchParams({ token: token(), ...query }).toString()}`;
}

/** Whether events come: `lost` while the browser tries again, `over` when it has given up. */
export type LinkState = "open" | "lost" | "over";

/** What one hears of a stream of events. */
export interface Listener<T> {
  /** All rows that have come since the last picture, in one call for each picture. `dropped` is how many of them were too many. */
  readonly rows: (rows: readonly T[], dropped: number) => void;
  readonly state: (state: LinkState) => void;
}

/** Listens to events until the answer is called. */
export function listen<T>(address: string, { rows, state }: Listener<T>): () => void {
  const source = new EventSource(address);
  const batch = new FrameBatch<T>();
  let frame: number | undefined;
  const deliver = (): void => {
    frame = undefined;
    const { rows: taken, dropped } = batch.take();
    rows(taken, dropped);
  };
  source.addEventListener("open", () => state("open"));
  source.addEventListener("error", () => state(source.readyState === EventSource.CLOSED ? "over" : "lost"));
  source.addEventListener("message", ({ data }: MessageEvent<string>) => {
    batch.add(JSON.parse(data) as T);
    frame ??= requestAnimationFrame(deliver);
  });
  return () => {
    source.close();
    if (frame !== undefined) cancelAnimationFrame(frame);
  };
}

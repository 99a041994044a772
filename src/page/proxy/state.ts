/** What the page knows, and how it changes with each message. Pure, and bounded whatever comes. */

import type { ConnectionRow, PageMessage, ProxyRow } from "../../proxy/page/wire.ts";

/** What the page knows. */
export interface PageState {
  readonly seed: number;
  readonly proxies: readonly ProxyRow[];
  readonly nowMs: number;
  readonly bytes: Readonly<Record<string, readonly [number, number]>>;
  readonly connections: readonly ConnectionRow[];
  readonly more: number;
}

/** Before the first message. */
export const NOTHING: PageState = { seed: 0, proxies: [], nowMs: 0, bytes: {}, connections: [], more: 0 };

/** The state behind a message. */
export function reduced(state: PageState, message: PageMessage): PageState {
  if (message.type === "state") return { ...state, seed: message.seed, proxies: message.proxies };
  const { nowMs, bytes, connections, more } = message;
  return { ...state, nowMs, bytes, connections, more };
}

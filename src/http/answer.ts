/** How answers are written: with headers that keep them from other pages, and no faster than their reader reads. */

import type { ServerResponse } from "node:http";

/** A reader of events who leaves so much unread gets no more until he has read. */
const MOST_UNREAD_BYTES = 1_048_576;

/** In each answer. A page of another site can neither show it nor read it, and no cache keeps it. */
export const HEADERS = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
} as const;

/** Further headers. */
export type MoreHeaders = Readonly<Record<string, string>>;

/** Writes a text of any type. */
export function sendText(
  response: ServerResponse,
  status: number,
  type: string,
  body: string | Buffer,
  more: MoreHeaders = {},
): void {
  const headers = { ...HEADERS, "content-type": type, "content-length": Buffer.byteLength(body), ...more };
  response.writeHead(status, headers).end(body);
}

/** Writes one line of JSON. */
export function sendJson(response: ServerResponse, status: number, row: unknown, more: MoreHeaders = {}): void {
  sendText(response, status, "application/json; charset=utf-8", `${JSON.stringify(row)}\n`, more);
}

/** Server-sent events (the HTML standard, section 9.2) to one reader. */
export interface EventStream {
  /** Whether the reader has not read what was sent before; what is sent now only makes him later. */
  readonly isFull: boolean;
  /** Sends a row. @param head - Fields before it, such as `id`. */
  send(row: unknown, head?: MoreHeaders): void;
  /** Cuts the reader off. */
  end(): void;
}

/** Begins events. `closed` is called when the reader is gone. */
export function sendEvents(response: ServerResponse, closed: () => void): EventStream {
  response.writeHead(200, { ...HEADERS, "content-type": "text/event-stream; charset=utf-8" });
  response.write(": watching\n\n");
  response.once("close", closed);
  return {
    get isFull() {
      return response.writableLength > MOST_UNREAD_BYTES;
    },
    send(row, head = {}) {
      const fields = Object.entries(head).map(([name, value]) => `${name}: ${value}\n`);
      response.write(`${fields.join("")}data: ${JSON.stringify(row)}\n\n`);
    },
    end: () => void response.destroy(),
  };
}

/** The HTTP of the inspector: checks who asks, and writes what the routes answer. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Clock } from "../io/network/network.ts";
import { type Door, refusalOf } from "./access.ts";
import type { Answer } from "./answers.ts";
import { answerTo } from "./routes.ts";
import type { Row } from "./rows.ts";
import type { Sources } from "./sources.ts";
import type { Watches } from "./watch.ts";

/** Connections to the inspector, and among them those that watch a session. */
const MOST_CONNECTIONS = 64;
const MOST_WATCHERS = 16;
/** A watcher that does not read so much is let go. */
const MOST_UNREAD_BYTES = 1_048_576;
const HEADERS_MS = 10_000;

const HEADERS = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
} as const;
const JSON_HEADERS = { ...HEADERS, "content-type": "application/json; charset=utf-8" } as const;

/** What every request needs. */
export interface WebSources extends Sources {
  readonly watches: Watches;
  readonly clock: Clock;
  /** How many watch now, through all doors of this inspector. */
  watchers: number;
}

/** A server that keeps no process alive. `door` is asked for at each request: the port is known only when it listens. */
export function webServer(sources: WebSources, door: () => Door): Server {
  const server = createServer({ requestTimeout: HEADERS_MS, headersTimeout: HEADERS_MS }, (request, response) => {
    // What is sent along is not looked at.
    request.resume();
    serve(request, response, sources, door());
  });
  server.maxConnections = MOST_CONNECTIONS;
  server.on("connection", (socket) => socket.unref());
  server.on("clientError", (_error, socket) => socket.destroy());
  server.unref();
  return server;
}

function serve(request: IncomingMessage, response: ServerResponse, sources: WebSources, door: Door): void {
  const { method = "", url = "", headers } = request;
  const { path, query } = pathOf(url);
  // A page cannot set a header of another origin without being asked first; in an address it could.
  const token = method === "GET" ? (query.get("token") ?? undefined) : undefined;
  const refusal = refusalOf(door, { headers, token });
  const answer: Answer =
    refusal === undefined ? answerTo(method, path, query, sources) : { status: 403, error: refusal };
  if ("watch" in answer) watch(response, answer, sources);
  else if ("parts" in answer) writeParts(response, answer.parts, sources.clock);
  else if ("metrics" in answer) void writeMetrics(response, answer.metrics);
  else if ("row" in answer) write(response, answer.status, answer.row);
  else write(response, answer.status, { error: answer.error }, answer.status === 405 ? { allow: answer.allow } : {});
}

function pathOf(url: string): { readonly path: string; readonly query: URLSearchParams } {
  const at = url.indexOf("?");
  const path = at < 0 ? url : url.slice(0, at);
  return { path, query: new URLSearchParams(at < 0 ? "" : url.slice(at + 1)) };
}

function write(response: ServerResponse, status: number, row: Row, more: Readonly<Record<string, string>> = {}): void {
  const body = `${JSON.stringify(row)}\n`;
  response.writeHead(status, { ...JSON_HEADERS, ...more, "content-length": Buffer.byteLength(body) }).end(body);
}

async function writeMetrics(response: ServerResponse, metrics: Promise<string>): Promise<void> {
  const text = await metrics;
  const type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
  response.writeHead(200, { ...HEADERS, "content-type": type, "content-length": Buffer.byteLength(text) }).end(text);
}

/** Writes one part in each turn of the event loop, and none while the reader has not taken the one before. */
function writeParts(response: ServerResponse, parts: Generator<string, void>, clock: Clock): void {
  response.writeHead(200, JSON_HEADERS);
  const next = (): void => {
    if (response.destroyed) return;
    const part = parts.next();
    if (part.done === true) response.end("\n");
    else if (response.write(part.value)) clock.setTimer(next, 0, true);
    else response.once("drain", next);
  };
  next();
}

/** Server-sent events (the HTML standard, section 9.2), until the reader goes. */
function watch(
  response: ServerResponse,
  answer: Extract<Answer, { readonly watch: unknown }>,
  sources: WebSources,
): void {
  if (sources.watchers >= MOST_WATCHERS) return write(response, 503, { error: "too many watch already" });
  response.writeHead(200, { ...HEADERS, "content-type": "text/event-stream; charset=utf-8" });
  response.write(": watching\n\n");
  const { id, object } = answer.watch;
  sources.watchers += 1;
  const stop = sources.watches.add(id, object, ({ number, row }) => {
    if (response.writableLength > MOST_UNREAD_BYTES) response.destroy();
    else response.write(`id: ${number}\ndata: ${JSON.stringify(row)}\n\n`);
  });
  response.once("close", () => {
    sources.watchers -= 1;
    stop();
  });
}

/** The HTTP of the inspector: writes what its routes answer. */

import type { Door } from "../http/access.ts";
import { HEADERS, sendEvents, sendJson, sendText } from "../http/answer.ts";
import { answerPage } from "../http/page.ts";
import { httpServer, type Question, type Server, type ServerResponse } from "../http/server.ts";
import type { Clock } from "../io/network/network.ts";
import type { Answer } from "./answers.ts";
import { answerTo } from "./routes.ts";
import type { Sources } from "./sources.ts";
import type { Watches } from "./watch.ts";

/** Connections that watch a session. */
const MOST_WATCHERS = 16;

/** What every request needs. */
export interface WebSources extends Sources {
  readonly watches: Watches;
  readonly clock: Clock;
  /** How many watch now, through all doors of this inspector. */
  watchers: number;
}

/** A server that keeps no process alive. */
export function webServer(sources: WebSources, door: () => Door): Server {
  const server = httpServer(door, (question, response) => answer(question, response, sources));
  server.on("connection", (socket) => socket.unref());
  server.unref();
  return server;
}

function answer(question: Question, response: ServerResponse, sources: WebSources): void {
  const { method, path, query, headers } = question;
  // Programs ask `/` for the list of paths, and people for the page.
  const isProgram = path === "/" && headers.accept?.includes("text/html") !== true;
  if (!isProgram && answerPage("inspect", question, response)) return;
  const said = answerTo(method, path, query, sources);
  if ("watch" in said) watch(response, said, sources);
  else if ("parts" in said) writeParts(response, said.parts, sources.clock);
  else if ("metrics" in said) void writeMetrics(response, said.metrics);
  else if ("row" in said) sendJson(response, said.status, said.row);
  else sendJson(response, said.status, { error: said.error }, said.status === 405 ? { allow: said.allow } : {});
}

async function writeMetrics(response: ServerResponse, metrics: Promise<string>): Promise<void> {
  sendText(response, 200, "application/openmetrics-text; version=1.0.0; charset=utf-8", await metrics);
}

/** Writes one part in each turn of the event loop, and none while the reader has not taken the one before. */
function writeParts(response: ServerResponse, parts: Generator<string, void>, clock: Clock): void {
  response.writeHead(200, { ...HEADERS, "content-type": "application/json; charset=utf-8" });
  const next = (): void => {
    if (response.destroyed) return;
    const part = parts.next();
    if (part.done === true) response.end("\n");
    else if (response.write(part.value)) clock.setTimer(next, 0, true);
    else response.once("drain", next);
  };
  next();
}

/** Sends what happens in a session, until the reader goes or does not read. */
function watch(
  response: ServerResponse,
  said: Extract<Answer, { readonly watch: unknown }>,
  sources: WebSources,
): void {
  if (sources.watchers >= MOST_WATCHERS) return sendJson(response, 503, { error: "too many watch already" });
  const { id, object } = said.watch;
  sources.watchers += 1;
  let stop = (): void => undefined;
  const events = sendEvents(response, () => {
    sources.watchers -= 1;
    stop();
  });
  stop = sources.watches.add(id, object, ({ number, row }) => {
    if (events.isFull) events.end();
    else events.send(row, { id: String(number) });
  });
}

/** HTTP for people and programs of this machine. Who may not ask is refused here, before any route is looked at. */

import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { ZocaloError } from "../core/errors.ts";
import { sendJson } from "./answer.ts";
import { type Door, refusalOf } from "./access.ts";

// What the layers above need of node:http, which only this one imports.
export type { Server, ServerResponse };

/** Those of one program that is looked at, and of the client libraries in its tests. */
const MOST_CONNECTIONS = 256;
/** Whoever has asked half a question for so long, in milliseconds, is not waited for. */
const REQUEST_TIMEOUT_MS = 15_000;
/** The longest body: no list of proxies or faults is longer. */
const MOST_BODY_BYTES = 1_048_576;

/** A request of somebody who may ask. */
export interface Question {
  readonly method: string;
  /** Without what follows `?`. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** Reads the body. Rejects with {@link BodyTooLong}, and when the connection ends before it. */
  text(): Promise<string>;
}

/** The body has more than 1 MiB. */
class BodyTooLong extends Error {
  constructor() {
    super(`the body is longer than ${MOST_BODY_BYTES} bytes`);
  }
}

/** The status of what went wrong: 400 or 413 where the caller did wrong, 500 where the system refused. */
export function statusOf(error: unknown): number {
  if (error instanceof BodyTooLong) return 413;
  const isWrong = error instanceof ZocaloError && (error.code === "OPTION_INVALID" || error.code === "ADDRESS_INVALID");
  return isWrong ? 400 : 500;
}

/** Answers a request. */
type Answerer = (question: Question, response: ServerResponse) => void | Promise<void>;

/**
 * A server that has `answer` answer. It answers 403 itself to those who have not the token of the door, ask for another host, or are
 * a page of another origin.
 *
 * @param door - Asked for at each request: its port is known only when the server listens.
 */
export function httpServer(door: () => Door, answer: Answerer): Server {
  const limits = { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS };
  const server = createServer(limits, (request, response) => {
    const question = questionOf(request);
    const { method, headers, query } = question;
    // A page cannot set a header of another origin without being asked first; in an address it could.
    const token = method === "GET" ? (query.get("token") ?? undefined) : undefined;
    const refusal = refusalOf(door(), { headers, token });
    if (refusal === undefined) void guarded(question, response, answer);
    else sendJson(response, 403, { error: refusal, status: 403 });
  });
  server.maxConnections = MOST_CONNECTIONS;
  server.on("clientError", (_error, socket) => socket.destroy());
  return server;
}

/** A mistake in an answer is not the end of the program that is looked at. */
async function guarded(question: Question, response: ServerResponse, answer: Answerer): Promise<void> {
  try {
    await answer(question, response);
  } catch {
    if (response.headersSent) response.destroy();
    else sendJson(response, 500, { error: "this is a mistake of zocalo; please report it", status: 500 });
  }
}

function questionOf(request: IncomingMessage): Question {
  const { method = "", url = "", headers } = request;
  const at = url.indexOf("?");
  return {
    method,
    path: at < 0 ? url : url.slice(0, at),
    query: new URLSearchParams(at < 0 ? "" : url.slice(at + 1)),
    headers,
    text: () => textOf(request),
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > MOST_BODY_BYTES) throw new BodyTooLong();
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString();
}

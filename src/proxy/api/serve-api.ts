/** The HTTP interface of the proxies. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { Address, type AddressLike } from "../../core/address/address.ts";
import { UsageError } from "../../core/errors.ts";
import type { FaultProxies } from "../public.ts";
import { ApiError, badBody } from "./api-error.ts";
import { type Answer, apiErrorOf, Routes } from "./routes.ts";

/** No list of proxies is longer. */
const MAX_BODY_BYTES = 1_048_576;
/** Whoever has asked half a question for so long, in milliseconds, is not waited for. */
const REQUEST_TIMEOUT_MS = 15_000;

/** The interface, while it is served. */
export interface ServedApi {
  /** Where: `http://127.0.0.1:8474`. */
  readonly url: string;
  /** Ends it; requests under way are cut. The proxies stay. */
  close(): Promise<void>;
}

/**
 * Serves the HTTP calls of Toxiproxy 2 for proxies that run, so that its client libraries work unchanged. Proxies may also be of
 * `udp:` and `unix:` addresses, and `GET /version` says the seed. What is refused has the status, and the sentence, that Toxiproxy
 * gives it; an attribute that a toxic has not is refused too.
 *
 * A web page cannot use the calls: browsers are refused by their user agent, as Toxiproxy does it, and so is every name of a host
 * that is not this machine's. Rejects with `ADDRESS_INVALID` for an address that is not loopback, and with the error of `node:http`
 * when it cannot listen.
 *
 * @param running - The proxies; the calls add to them, change and remove them.
 * @param address - Where to listen: `127.0.0.1:8474` is what clients expect; port 0 is a free one.
 *
 * @example
 * ```ts
 * import { serveApi, startProxy } from "zocalo/proxy";
 * await using running = await startProxy({ seed: 7 });
 * const api = await serveApi(running, "127.0.0.1:0");
 * console.log((await fetch(`${api.url}/version`)).status); // 200
 * await api.close();
 * ```
 */
export async function serveApi(running: FaultProxies, address: AddressLike): Promise<ServedApi> {
  const listen = Address.parse(address, { op: "serveApi", transport: "tcp" });
  if (!listen.isLoopback) {
    const detail = "the interface that controls proxies is for this machine alone; give an address of its loopback";
    throw new UsageError("ADDRESS_INVALID", { op: "serveApi", local: String(listen), detail });
  }
  const routes = new Routes(running);
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
    void respond(routes, listen, request, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: listen.host, port: listen.port }, resolve);
  });
  return { url: urlOf(server), close: () => ended(server) };
}

function urlOf(server: Server): string {
  const at = server.address();
  if (at === null || typeof at === "string") throw new TypeError("the server has no port");
  return `http://${at.family === "IPv6" ? `[${at.address}]` : at.address}:${at.port}`;
}

function ended(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function respond(
  routes: Routes,
  listen: Address,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    refuseBrowsers(request, listen);
    const { method = "GET", url = "/" } = request;
    const parts = partsOf(url);
    const text = method === "GET" || method === "DELETE" ? "" : await bodyOf(request);
    const answer = await routes.answer(method, parts, () => parsed(text));
    send(response, answer ?? { status: 404, text: "404 page not found\n" });
  } catch (error) {
    const { status, message } = apiErrorOf(error);
    send(response, { status, json: { error: message, status } });
  }
}

/** A page that runs in a browser on this machine must not reach the proxies, not even by a name that leads here. */
function refuseBrowsers({ headers }: IncomingMessage, listen: Address): void {
  const isBrowser = headers["user-agent"]?.startsWith("Mozilla/") === true || headers.origin !== undefined;
  const name = (headers.host ?? "").replace(/:\d*$/, "").replace(/^\[|\]$/g, "");
  const isHere = name === "localhost" || name === "::1" || name.startsWith("127.") || name === listen.host;
  if (isBrowser || !isHere) throw new ApiError(403, isBrowser ? "User agent not allowed" : "Host not allowed");
}

function partsOf(url: string): readonly string[] {
  const path = url.split("?", 1)[0] ?? "";
  try {
    return path.split("/").slice(1).map(decodeURIComponent);
  } catch {
    return [];
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > MAX_BODY_BYTES) throw new ApiError(413, `the body is longer than ${MAX_BODY_BYTES} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString();
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw badBody(text === "" ? "EOF" : (error as Error).message);
  }
}

function send(response: ServerResponse, { status, json, text }: Answer): void {
  const [type, body] =
    json === undefined ? ["text/plain; charset=utf-8", text ?? ""] : ["application/json", JSON.stringify(json)];
  response.writeHead(status, status === 204 ? {} : { "content-type": type, "x-content-type-options": "nosniff" });
  response.end(body);
}

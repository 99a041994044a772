/** The HTTP interface of the proxies. */

import { Address, type AddressLike } from "../../core/address/address.ts";
import { UsageError } from "../../core/errors.ts";
import { sendJson, sendText } from "../../http/answer.ts";
import { openPort } from "../../http/open-port.ts";
import { httpServer, type Question, type ServerResponse } from "../../http/server.ts";
import type { FaultProxies } from "../public.ts";
import { ApiError, badBody } from "./api-error.ts";
import { type Answer, apiErrorOf, Routes } from "./routes.ts";

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
 * that is not the address, or `localhost`. Rejects with `ADDRESS_INVALID` for an address that is not loopback, and as `listen` does.
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
  const { host, port } = listen;
  return await openPort({ op: "serveApi", host, port, token: false }, (door) =>
    httpServer(door, (question, response) => respond(routes, question, response)),
  );
}

async function respond(routes: Routes, question: Question, response: ServerResponse): Promise<void> {
  try {
    const { method, path, headers } = question;
    // A page that runs in a browser on this machine must not reach the proxies.
    if (headers["user-agent"]?.startsWith("Mozilla/") === true || headers.origin !== undefined) {
      throw new ApiError(403, "User agent not allowed");
    }
    const text = method === "GET" || method === "DELETE" ? "" : await question.text();
    const answer = await routes.answer(method, path, () => parsed(text));
    send(response, answer ?? { status: 404, text: "404 page not found\n" });
  } catch (error) {
    const { status, message } = apiErrorOf(error);
    send(response, { status, json: { error: message, status } });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw badBody(text === "" ? "EOF" : (error as Error).message);
  }
}

function send(response: ServerResponse, { status, json, text }: Answer): void {
  if (status === 204) response.writeHead(status).end();
  else if (json === undefined) sendText(response, status, "text/plain; charset=utf-8", text ?? "");
  else sendJson(response, status, json, { "content-type": "application/json" });
}

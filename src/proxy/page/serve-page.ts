/** The page on which people see what passes through proxies, and break it. */

import { ZocaloError } from "../../core/errors.ts";
import { sendEvents, sendJson } from "../../http/answer.ts";
import { openPort } from "../../http/open-port.ts";
import { answerPage } from "../../http/page.ts";
import { BodyTooLong, httpServer, type Question, type ServerResponse } from "../../http/server.ts";
import { nodeNetwork } from "../../node/network.ts";
import type { ProxyFault } from "../fault.ts";
import type { FaultProxies, FaultProxy } from "../public.ts";
import { Feed } from "./feed.ts";
import { Rows } from "./rows.ts";

/** Options of {@link servePage}. */
export interface ServePageOptions {
  /** The port on 127.0.0.1. Default 0: a free one. */
  readonly port?: number | undefined;
}

/** The page, while it is served. */
export interface ServedPage {
  /** Where, with the token without which nothing is answered. Whoever has it sees what passes, and can break it. */
  readonly url: string;
  /** Ends it. The proxies stay, and so do the faults that were begun on it. */
  close(): Promise<void>;
}

/**
 * Serves a page for proxies that run: what passes through them, and a way to begin and end faults by hand. It listens on 127.0.0.1
 * alone and answers only who has the token of its address; a page of another origin is refused. `zocalo proxy` does it by itself. It
 * costs nothing while nobody has it open.
 *
 * Rejects as `listen` does: `ADDRESS_IN_USE`, `PERMISSION_DENIED`.
 *
 * @param running - The proxies; the page begins and ends faults in them.
 * @param options - Where to listen.
 *
 * @example
 * ```ts
 * import { servePage, startProxy } from "zocalo/proxy";
 * await using running = await startProxy({ seed: 7 });
 * const page = await servePage(running);
 * console.log((await fetch(page.url)).status); // 200
 * await page.close();
 * ```
 */
export async function servePage(running: FaultProxies, { port = 0 }: ServePageOptions = {}): Promise<ServedPage> {
  const rows = new Rows(running);
  const page: Served = { running, rows, feed: new Feed(rows, nodeNetwork.clock) };
  return await openPort({ op: "servePage", port, token: true }, (door) =>
    httpServer(door, (question, response) => answer(page, question, response)),
  );
}

/** What all routes need. */
interface Served {
  readonly running: FaultProxies;
  readonly rows: Rows;
  readonly feed: Feed;
}

async function answer(page: Served, question: Question, response: ServerResponse): Promise<void> {
  if (answerPage("proxy", question, response)) return;
  try {
    const { method, path } = question;
    if (path === "/events") return method === "GET" ? watch(page, response) : refuseMethod(response, "GET");
    const [, place, name = "", what, id] = path.split("/").map(decodeURIComponent);
    const proxy = place === "proxies" ? page.running.proxies.get(name) : undefined;
    if (proxy === undefined) return refuse(response, 404, "there is no such path, or no such proxy any more");
    if (what === undefined) return await change(page, proxy, question, response);
    if (what !== "faults") return refuse(response, 404, "there is no such path");
    if (id === undefined) await begin(page, proxy, question, response);
    else await changeFault(page, proxy, Number(id), question, response);
  } catch (error) {
    const [status, message] = refusalOf(error);
    refuse(response, status, message);
  }
}

function refuse(response: ServerResponse, status: number, error: string): void {
  sendJson(response, status, { error });
}

function refuseMethod(response: ServerResponse, allow: string): void {
  sendJson(response, 405, { error: `this path takes ${allow} only` }, { allow });
}

/** What a caller did wrong is 400, what the system refused is 500. */
function refusalOf(error: unknown): readonly [status: number, message: string] {
  if (error instanceof BodyTooLong) return [413, error.message];
  if (error instanceof SyntaxError) return [400, `this is no JSON: ${error.message}`];
  if (error instanceof URIError) return [400, "the path has a % that stands for nothing"];
  if (!(error instanceof ZocaloError)) return [500, String(error)];
  return [error.code === "OPTION_INVALID" || error.code === "ADDRESS_INVALID" ? 400 : 500, error.message];
}

function watch({ feed }: Served, response: ServerResponse): void {
  if (feed.isFull) return refuse(response, 503, "too many pages look at these proxies already");
  let remove = (): void => undefined;
  remove = feed.add(sendEvents(response, () => remove()));
}

/** `{ "enabled": false }` lets nobody connect. */
async function change(page: Served, proxy: FaultProxy, question: Question, response: ServerResponse): Promise<void> {
  if (question.method !== "POST") return refuseMethod(response, "POST");
  await proxy.change(JSON.parse(await question.text()) as { readonly enabled: boolean });
  page.feed.changed();
  sendJson(response, 200, {});
}

async function begin(page: Served, proxy: FaultProxy, question: Question, response: ServerResponse): Promise<void> {
  if (question.method !== "POST") return refuseMethod(response, "POST");
  proxy.inflict(JSON.parse(await question.text()) as ProxyFault);
  page.feed.changed();
  sendJson(response, 201, { id: page.rows.idOf(proxy.faults.at(-1) as ProxyFault) });
}

/** A fault that is changed ends, and begins anew as another one. */
async function changeFault(
  page: Served,
  proxy: FaultProxy,
  id: number,
  question: Question,
  response: ServerResponse,
): Promise<void> {
  const { method } = question;
  if (method !== "PUT" && method !== "DELETE") return refuseMethod(response, "PUT, DELETE");
  const text = method === "PUT" ? await question.text() : undefined;
  const fault = proxy.faults.find((one) => page.rows.idOf(one) === id);
  if (fault === undefined) return refuse(response, 404, "this fault has ended");
  // The new one first: when it is refused, the old one stays.
  if (text !== undefined) proxy.inflict(JSON.parse(text) as ProxyFault);
  proxy.heal(fault);
  page.feed.changed();
  sendJson(response, 200, text === undefined ? {} : { id: page.rows.idOf(proxy.faults.at(-1) as ProxyFault) });
}

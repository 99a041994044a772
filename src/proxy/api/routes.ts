/** What the HTTP interface can be asked: the calls of Toxiproxy 2, so that its clients work unchanged. */

import { PACKAGE_VERSION } from "../../core/version.ts";
import { findRoute, type PathParts } from "../../http/routes.ts";
import { statusOf } from "../../http/server.ts";
import type { FaultProxies, FaultProxy } from "../public.ts";
import { ApiError, badBody } from "./api-error.ts";
import { metricsText } from "./metrics.ts";
import { enabledOf, type Fields, fieldsOf, readProxy, textOf } from "./read-proxy.ts";
import { ToxicBoard } from "./toxic-board.ts";
import type { Toxic } from "./toxics.ts";

/** Clients compare it: that of the Toxiproxy whose calls are answered. */
const TOXIPROXY_VERSION = "2.12.0";

/** An answer: JSON, or a text. */
export interface Answer {
  readonly status: number;
  readonly json?: unknown;
  readonly text?: string;
}

/** A proxy as it stands in JSON. */
interface ProxyJson {
  readonly name: string;
  readonly listen: string;
  readonly upstream: string;
  readonly enabled: boolean;
  readonly toxics: readonly Toxic[];
}

/** Answers a call, by what stands in its path and by its body. */
type Answering = (at: PathParts, body: () => unknown) => Answer | Promise<Answer>;
type CallRoute = readonly [method: string, path: string, answer: Answering];

const PROXY = "/proxies/:proxy";
const TOXIC = `${PROXY}/toxics/:toxic`;

/** A change: Toxiproxy takes it as a POST, too. */
function changing(path: string, answer: Answering): readonly CallRoute[] {
  return ["POST", "PATCH"].map((method) => [method, path, answer]);
}

const DONE: Answer = { status: 204 };

/** The calls over one set of proxies. */
export class Routes {
  readonly #running: FaultProxies;
  readonly #boards = new WeakMap<FaultProxy, ToxicBoard>();
  /** Calls that change something run one after the other. */
  #changing: Promise<unknown> = Promise.resolve();

  readonly #routes: readonly CallRoute[] = [
    ["GET", "/version", () => this.#version()],
    ["GET", "/metrics", () => this.#metrics()],
    ["POST", "/reset", () => this.#inTurn(() => this.#reset())],
    ["POST", "/populate", (_, body) => this.#inTurn(() => this.#populate(body()))],
    ["GET", "/proxies", () => this.#list()],
    ["POST", "/proxies", (_, body) => this.#inTurn(() => this.#create(fieldsOf(body())))],
    ["GET", PROXY, (at) => ({ status: 200, json: this.#json(this.#proxy(at)) })],
    ...changing(PROXY, (at, body) => this.#inTurn(() => this.#update(this.#proxy(at), fieldsOf(body())))),
    ["DELETE", PROXY, (at) => this.#inTurn(() => this.#delete(this.#proxy(at)))],
    ["GET", `${PROXY}/toxics`, (at) => ({ status: 200, json: this.#board(this.#proxy(at)).toxics })],
    ["POST", `${PROXY}/toxics`, (at, body) => this.#toxic(at, (board) => board.add(fieldsOf(body())))],
    ["GET", TOXIC, (at) => this.#toxic(at, (board, name) => board.get(name))],
    ...changing(TOXIC, (at, body) => this.#toxic(at, (board, name) => board.change(name, fieldsOf(body())))),
    ["DELETE", TOXIC, (at) => this.#removeToxic(at)],
  ];

  constructor(running: FaultProxies) {
    this.#running = running;
  }

  /** Answers a call. Undefined when there is none of that method and path. */
  async answer(method: string, path: string, body: () => unknown): Promise<Answer | undefined> {
    const { route, parts } = findRoute(this.#routes, method, path);
    return await route?.[2](parts, body);
  }

  #version(): Answer {
    return { status: 200, json: { version: TOXIPROXY_VERSION, zocalo: PACKAGE_VERSION, seed: this.#running.seed } };
  }

  #metrics(): Answer {
    return { status: 200, text: metricsText(this.#running.proxies.values()) };
  }

  #list(): Answer {
    const all = Array.from(this.#running.proxies.values(), (one) => [one.name, this.#json(one)] as const);
    return { status: 200, json: Object.fromEntries(all) };
  }

  async #create(fields: Fields): Promise<Answer> {
    const wanted = readProxy(fields);
    if (this.#running.proxies.has(wanted.name)) throw new ApiError(409, "proxy already exists");
    return { status: 201, json: this.#json(await this.#running.add(wanted)) };
  }

  async #update(proxy: FaultProxy, fields: Fields): Promise<Answer> {
    const change = { ...textOf(fields, "listen"), ...textOf(fields, "upstream"), ...enabledOf(fields) };
    await proxy.change(change);
    return { status: 200, json: this.#json(proxy) };
  }

  async #delete({ name }: FaultProxy): Promise<Answer> {
    await this.#running.remove(name);
    return DONE;
  }

  #toxic(at: PathParts, act: (board: ToxicBoard, name: string) => Toxic): Answer {
    return { status: 200, json: act(this.#board(this.#proxy(at)), at["toxic"] ?? "") };
  }

  #removeToxic(at: PathParts): Answer {
    this.#board(this.#proxy(at)).remove(at["toxic"] ?? "");
    return DONE;
  }

  /** All names are looked at before any proxy is made. Equal proxies stay as they are, with their toxics. */
  async #populate(body: unknown): Promise<Answer> {
    if (!Array.isArray(body)) throw badBody("a list of proxies is expected");
    const wanted = body.map((one, index) => readProxy(fieldsOf(one), ` at proxy ${index + 1}`));
    const twice = wanted.find(({ name }, index) => wanted.findIndex((other) => other.name === name) !== index);
    if (twice !== undefined) throw badBody(`duplicate proxy name ${JSON.stringify(twice.name)}`);
    const made: ProxyJson[] = [];
    try {
      for (const one of wanted) made.push(this.#json(await this.#addOrReplace(one)));
    } catch (error) {
      const { status, message } = apiErrorOf(error);
      return { status, json: { error: message, status, proxies: made } };
    }
    return { status: 201, json: { proxies: made } };
  }

  async #addOrReplace(wanted: ReturnType<typeof readProxy>): Promise<FaultProxy> {
    const { name, listen, upstream, enabled = true } = wanted;
    const there = this.#running.proxies.get(name);
    if (there !== undefined) {
      const asIs = listen === undefined || addressText(there.listen) === listen || String(there.listen) === listen;
      const same = asIs && (addressText(there.upstream) === upstream || String(there.upstream) === upstream);
      if (same && there.enabled === enabled) return there;
      await this.#running.remove(name);
    }
    return await this.#running.add(wanted);
  }

  async #reset(): Promise<Answer> {
    for (const proxy of this.#running.proxies.values()) {
      await proxy.change({ enabled: true });
      this.#board(proxy).reset();
    }
    return DONE;
  }

  #proxy(at: PathParts): FaultProxy {
    const proxy = this.#running.proxies.get(at["proxy"] ?? "");
    if (proxy === undefined) throw new ApiError(404, "proxy not found");
    return proxy;
  }

  #board(proxy: FaultProxy): ToxicBoard {
    let board = this.#boards.get(proxy);
    if (board === undefined) {
      board = new ToxicBoard(proxy);
      this.#boards.set(proxy, board);
    }
    return board;
  }

  #json(proxy: FaultProxy): ProxyJson {
    const { name, listen, upstream, enabled } = proxy;
    const { toxics } = this.#board(proxy);
    return { name, listen: addressText(listen), upstream: addressText(upstream), enabled, toxics };
  }

  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const made = this.#changing.then(change);
    this.#changing = made.catch(() => undefined);
    return made;
  }
}

/** What went wrong, as it is answered. */
export function apiErrorOf(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError(statusOf(error), error instanceof Error ? error.message : String(error));
}

/** Host and port, as Toxiproxy writes them; other kinds of address have their scheme. */
function addressText(address: FaultProxy["listen"]): string {
  return address.transport === "tcp" ? address.hostPort : String(address);
}

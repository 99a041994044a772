/** What can be asked: the paths, and what each answers. */

import { mergedFamilies, openMetricsText } from "../core/open-metrics.ts";
import { findRoute } from "../http/routes.ts";
import { Listener } from "../io/listener/listener.ts";
import { partsOf } from "../io/session/endpoint/session.ts";
import { type Answer, gone, listed, ok, type Request } from "./answers.ts";
import { dump } from "./dump.ts";
import { pageInOrder } from "./page.ts";
import type { AnyServer, Listed, Lists } from "./registry.ts";
import { sessionDetail } from "./session-detail.ts";
import { heat, ofServer, sessions } from "./session-lists.ts";
import type { Permission, Sources } from "./sources.ts";

type Route = readonly [
  method: "GET" | "POST",
  path: string,
  answer: (request: Request) => Answer,
  permission?: Permission,
];

/** All of them. */
const ROUTES: readonly Route[] = [
  ["GET", "/", ({ sources }) => ok({ ...sources.about(), routes: ROUTES.map(nameOf) })],
  [
    "GET",
    "/servers",
    ({ query, sources: { rows } }) =>
      listed(
        query,
        "servers",
        (page) => pageInOrder(rows.servers(), page),
        (one) => rows.server(one),
      ),
  ],
  ["GET", "/servers/:id", (request) => objectOf(request, "servers", "server", (found, { rows }) => rows.server(found))],
  ["GET", "/servers/:id/sessions", (request) => ofServer(request, (server) => sessions(request, server))],
  ["GET", "/servers/:id/heat", (request) => ofServer(request, (server) => heat(request, server))],
  ["GET", "/sessions", (request) => sessions(request)],
  ["GET", "/sessions/heat", (request) => heat(request)],
  ["GET", "/sessions/:id", (request) => objectOf(request, "sessions", "session", sessionDetail)],
  [
    "GET",
    "/sessions/:id/events",
    ({ id, sources }) => {
      const watch = sources.registry.find("sessions", id);
      return watch === undefined ? gone("session") : { status: 200, watch };
    },
  ],
  [
    "GET",
    "/connections",
    ({ query, sources: { registry, rows } }) =>
      listed(
        query,
        "connections",
        (page) => pageInOrder(registry.all("connections"), page),
        (row) => rows.connection(row),
      ),
  ],
  [
    "GET",
    "/connections/:id",
    (request) => objectOf(request, "connections", "connection", (found, { rows }) => rows.connection(found)),
  ],
  [
    "GET",
    "/datagrams",
    ({ query, sources: { registry, rows } }) =>
      listed(
        query,
        "datagrams",
        (page) => pageInOrder(registry.all("datagrams"), page),
        (row) => rows.datagrams(row),
      ),
  ],
  [
    "GET",
    "/datagrams/:id",
    (request) => objectOf(request, "datagrams", "datagram socket", (found, { rows }) => rows.datagrams(found)),
  ],
  ["GET", "/errors", ({ sources: { errors } }) => ok({ errors: errors.of() })],
  ["GET", "/metrics", ({ sources: { rows } }) => ({ status: 200, metrics: metricsOf(rows.servers()) })],
  ["GET", "/dump", ({ sources }) => ({ status: 200, parts: dump(sources) })],
  [
    "POST",
    "/sessions/:id/disconnect",
    ({ id, sources: { registry } }) => {
      const session = registry.find("sessions", id);
      if (session === undefined) return gone("session");
      const disconnected = partsOf(session.object).endpoint.disconnect(true) !== undefined;
      return { status: 202, row: { id, disconnected } };
    },
    "disconnect",
  ],
  [
    "POST",
    "/connections/:id/disconnect",
    ({ id, sources: { registry } }) => {
      const connection = registry.find("connections", id);
      if (connection === undefined) return gone("connection");
      connection.object.abort();
      return { status: 202, row: { id, disconnected: true } };
    },
    "disconnect",
  ],
  [
    "POST",
    "/servers/:id/drain",
    ({ id, sources: { registry } }) => {
      const server = registry.find("servers", id)?.object;
      if (server === undefined) return gone("server");
      void server.close();
      return { status: 202, row: { id, draining: true } };
    },
    "drain",
  ],
];

function nameOf([method, path]: Route): string {
  return `${method} ${path}`;
}

/** What `server.metrics()` says, of all servers: each sample has the address of its server, and its number here. */
async function metricsOf(servers: Iterable<Listed<AnyServer>>): Promise<string> {
  const asked = Array.from(servers, async ({ id, object }) => ({
    labels: { server: String(object.localAddress), id: String(id) },
    families: object instanceof Listener ? [] : await object.families(),
  }));
  return openMetricsText(mergedFamilies(await Promise.all(asked)));
}

/** Answers one request. It comes from one who may ask. */
export function answerTo(method: string, path: string, query: URLSearchParams, sources: Sources): Answer {
  const { route, parts, allow } = findRoute(ROUTES, method, path);
  if (route === undefined) {
    if (allow === "") return { status: 404, error: "there is no such path; / has the list" };
    return { status: 405, allow, error: `this path takes ${allow} only` };
  }
  const [, , answer, permission] = route;
  if (permission !== undefined && !sources.allow.has(permission)) {
    return { status: 403, error: `the inspector changes nothing; inspect({ allow: ["${permission}"] }) permits this` };
  }
  return answer({ id: Number(parts["id"] ?? 0), query, sources });
}

function objectOf<List extends keyof Lists>(
  { id, sources }: Request,
  list: List,
  what: string,
  rowOf: (found: Listed<Lists[List]>, sources: Sources) => object,
): Answer {
  const found = sources.registry.find(list, id);
  return found === undefined ? gone(what) : ok(rowOf(found, sources));
}

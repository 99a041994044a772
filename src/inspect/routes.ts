/** What can be asked: the paths, and what each answers. */

import { mergedFamilies, openMetricsText } from "../core/open-metrics.ts";
import { Listener } from "../io/listener/listener.ts";
import { partsOf } from "../io/session/endpoint/session.ts";
import { type Answer, gone, listed, ok, type Request } from "./answers.ts";
import { dump } from "./dump.ts";
import { pageInOrder } from "./page.ts";
import type { AnyServer, Listed, Lists } from "./registry.ts";
import type { Row } from "./rows.ts";
import { sessionDetail } from "./session-detail.ts";
import { heat, ofServer, sessions } from "./session-lists.ts";
import type { Permission, Sources } from "./sources.ts";

interface Route {
  readonly method: "GET" | "POST";
  /** `:id` stands for a number. */
  readonly path: string;
  readonly permission?: Permission;
  readonly answer: (request: Request) => Answer;
}

/** All of them. */
const ROUTES: readonly Route[] = [
  { method: "GET", path: "/", answer: ({ sources }) => ok({ ...sources.about(), routes: ROUTES.map(nameOf) }) },
  {
    method: "GET",
    path: "/servers",
    answer: ({ query, sources: { rows } }) =>
      listed(
        query,
        "servers",
        (page) => pageInOrder(rows.servers(), page),
        (one) => rows.server(one),
      ),
  },
  {
    method: "GET",
    path: "/servers/:id",
    answer: (request) => objectOf(request, "servers", "server", (found, { rows }) => rows.server(found)),
  },
  {
    method: "GET",
    path: "/servers/:id/sessions",
    answer: (request) => ofServer(request, (server) => sessions(request, server)),
  },
  {
    method: "GET",
    path: "/servers/:id/heat",
    answer: (request) => ofServer(request, (server) => heat(request, server)),
  },
  {
    method: "GET",
    path: "/sessions",
    answer: (request) => sessions(request),
  },
  { method: "GET", path: "/sessions/heat", answer: (request) => heat(request) },
  {
    method: "GET",
    path: "/sessions/:id",
    answer: (request) => objectOf(request, "sessions", "session", sessionDetail),
  },
  {
    method: "GET",
    path: "/sessions/:id/events",
    answer: ({ id, sources }) => {
      const watch = sources.registry.find("sessions", id);
      return watch === undefined ? gone("session") : { status: 200, watch };
    },
  },
  {
    method: "GET",
    path: "/connections",
    answer: ({ query, sources: { registry, rows } }) =>
      listed(
        query,
        "connections",
        (page) => pageInOrder(registry.all("connections"), page),
        (row) => rows.connection(row),
      ),
  },
  {
    method: "GET",
    path: "/connections/:id",
    answer: (request) => objectOf(request, "connections", "connection", (found, { rows }) => rows.connection(found)),
  },
  {
    method: "GET",
    path: "/datagrams",
    answer: ({ query, sources: { registry, rows } }) =>
      listed(
        query,
        "datagrams",
        (page) => pageInOrder(registry.all("datagrams"), page),
        (row) => rows.datagrams(row),
      ),
  },
  {
    method: "GET",
    path: "/datagrams/:id",
    answer: (request) => objectOf(request, "datagrams", "datagram socket", (found, { rows }) => rows.datagrams(found)),
  },
  { method: "GET", path: "/errors", answer: ({ sources: { errors } }) => ok({ errors: errors.of() }) },
  {
    method: "GET",
    path: "/metrics",
    answer: ({ sources: { rows } }) => ({ status: 200, metrics: metricsOf(rows.servers()) }),
  },
  { method: "GET", path: "/dump", answer: ({ sources }) => ({ status: 200, parts: dump(sources) }) },
  {
    method: "POST",
    path: "/sessions/:id/disconnect",
    permission: "disconnect",
    answer: ({ id, sources: { registry } }) => {
      const session = registry.find("sessions", id);
      if (session === undefined) return gone("session");
      const disconnected = partsOf(session.object).endpoint.disconnect(true) !== undefined;
      return { status: 202, row: { id, disconnected } };
    },
  },
  {
    method: "POST",
    path: "/connections/:id/disconnect",
    permission: "disconnect",
    answer: ({ id, sources: { registry } }) => {
      const connection = registry.find("connections", id);
      if (connection === undefined) return gone("connection");
      connection.object.abort();
      return { status: 202, row: { id, disconnected: true } };
    },
  },
  {
    method: "POST",
    path: "/servers/:id/drain",
    permission: "drain",
    answer: ({ id, sources: { registry } }) => {
      const server = registry.find("servers", id)?.object;
      if (server === undefined) return gone("server");
      void server.close();
      return { status: 202, row: { id, draining: true } };
    },
  },
];

function nameOf({ method, path }: Route): string {
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
  const found = ROUTES.flatMap((route) => {
    const id = idIn(route.path, path);
    return id === undefined ? [] : [{ route, id }];
  });
  if (found.length === 0) return { status: 404, error: "there is no such path; / has the list" };
  const asked = found.find(({ route }) => route.method === method);
  if (asked === undefined) {
    const allow = found.map(({ route }) => route.method).join(", ");
    return { status: 405, allow, error: `this path takes ${allow} only` };
  }
  const { route, id } = asked;
  if (route.permission !== undefined && !sources.allow.has(route.permission)) {
    return {
      status: 403,
      error: `the inspector changes nothing; inspect({ allow: ["${route.permission}"] }) permits this`,
    };
  }
  return route.answer({ id, query, sources });
}

/** The number that stands at `:id`, 0 where there is none; undefined when it is another path. */
function idIn(pattern: string, path: string): number | undefined {
  const [wanted, parts] = [pattern.split("/"), path.split("/")];
  if (wanted.length !== parts.length) return undefined;
  let id = 0;
  for (const [index, part] of parts.entries()) {
    if (wanted[index] === ":id" && /^\d{1,15}$/.test(part)) id = Number(part);
    else if (wanted[index] !== part) return undefined;
  }
  return id;
}

function objectOf<List extends keyof Lists>(
  { id, sources }: Request,
  list: List,
  what: string,
  rowOf: (found: Listed<Lists[List]>, sources: Sources) => Row,
): Answer {
  const found = sources.registry.find(list, id);
  return found === undefined ? gone(what) : ok(rowOf(found, sources));
}

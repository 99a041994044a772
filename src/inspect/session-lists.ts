/** Lists of sessions: all of them or those of one server, in an order, and those of one cell of the map. */

import { partsOf, type SessionFacade } from "../io/session/endpoint/session.ts";
import { SessionServer } from "../io/session/server/serve.ts";
import { type Answer, gone, listed, ok, type Request } from "./answers.ts";
import { type Page, pageInOrder, pageOf } from "./page.ts";
import type { Listed } from "./registry.ts";
import type { Sources } from "./sources.ts";
import { cellFrom, cellOf, heatMap, isIn, SESSION_ORDERS, type Surveyed } from "./survey.ts";
import type { SessionRow } from "./wire.ts";

/** Answers about one server of sessions. */
export function ofServer({ id, sources }: Request, answer: (server: SessionServer) => Answer): Answer {
  const server = sources.registry.find("servers", id)?.object;
  return server instanceof SessionServer ? answer(server) : gone("server of sessions");
}

/** A page of sessions. @param server - Only its sessions. */
export function sessions({ query, sources }: Request, server?: SessionServer): Answer {
  const { registry, rows } = sources;
  const [sort, place] = [query.get("sort"), query.get("cell")];
  const order = sort !== null && Object.hasOwn(SESSION_ORDERS, sort) ? SESSION_ORDERS[sort] : undefined;
  if (sort !== null && order === undefined) {
    return { status: 400, error: `sort must be one of ${Object.keys(SESSION_ORDERS).join(", ")}` };
  }
  const cell = place === null ? undefined : cellFrom(place);
  if (place !== null && cell === undefined) return { status: 400, error: "cell must be a column and a row of heat" };
  const rowOf = (session: Listed<SessionFacade>): SessionRow => rows.session(session);
  if (order === undefined && cell === undefined) {
    return listed(query, "sessions", (page) => pageInOrder(sessionsOf(sources, server), page), rowOf);
  }
  const found = surveyed(sources, server).filter((one) => cell === undefined || isIn(cell, cellOf(one)));
  // One that has closed since then has no row.
  const open = ({ rows: page, next }: Page<Surveyed>): Page<Listed<SessionFacade>> => ({
    rows: page.flatMap(({ id }) => registry.find("sessions", id) ?? []),
    next,
  });
  return listed(query, "sessions", (page) => open(pageOf(found, page, order)), rowOf);
}

/** How many sessions have which round trip and hold how much. @param server - Only its sessions. */
export function heat({ sources }: Request, server?: SessionServer): Answer {
  return ok({ ...heatMap(surveyed(sources, server)) });
}

function surveyed({ rows }: Sources, server: SessionServer | undefined): readonly Surveyed[] {
  const all = rows.survey();
  return server === undefined ? all : all.filter(({ owner }) => isOf(owner, server));
}

function* sessionsOf({ registry }: Sources, server: SessionServer | undefined): Generator<Listed<SessionFacade>> {
  for (const session of registry.all("sessions"))
    if (server === undefined || isOf(partsOf(session.object).endpoint.owner, server)) yield session;
}

function isOf(owner: object, server: object): boolean {
  return owner === server;
}

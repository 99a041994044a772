/** What a route can answer with. */

import type { SessionFacade } from "../io/session/endpoint/session.ts";
import { type Page, pageRequest, type PageRequest } from "./page.ts";
import type { Listed } from "./registry.ts";
import type { Sources } from "./sources.ts";
import type { ListRows } from "./wire.ts";

/** What to answer with. */
export type Answer =
  | { readonly status: 200 | 202; readonly row: object }
  | { readonly status: 200; readonly parts: Generator<string, void> }
  | { readonly status: 200; readonly metrics: Promise<string> }
  | { readonly status: 200; readonly watch: Listed<SessionFacade> }
  | { readonly status: 400 | 403 | 404; readonly error: string }
  | { readonly status: 405; readonly error: string; readonly allow: string };

/** What a route is asked. */
export interface Request {
  readonly id: number;
  readonly query: URLSearchParams;
  readonly sources: Sources;
}

/** It is there. */
export const ok = (row: object): Answer => ({ status: 200, row });
/** A page that makes no sense. */
const NO_PAGE: Answer = { status: 400, error: "limit must be a number from 1 to 1000, after a cursor of this list" };
/** It is not there. */
export const gone = (what: string): Answer => ({ status: 404, error: `there is no such ${what}, or it is closed` });

/** One page of a list. */
export function listed<Name extends keyof ListRows, T extends { readonly id: number }>(
  query: URLSearchParams,
  name: Name,
  page: (request: PageRequest) => Page<T>,
  rowOf: (object: T) => ListRows[Name],
): Answer {
  const request = pageRequest(query.get("limit"), query.get("after"));
  if (request === undefined) return NO_PAGE;
  const { rows, next } = page(request);
  return ok({ [name]: rows.map(rowOf), next });
}

/** What the HTTP interface answers when it cannot do what it is asked: the sentences and numbers of Toxiproxy 2. */

import { NAME } from "../options.ts";

/** An answer that says why. */
export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** 400: the body is no JSON, or has what it may not have. */
export function badBody(problem: string): ApiError {
  return new ApiError(400, `bad request body: ${problem}`);
}

/** 400: the body lacks a field. */
export function missingField(name: string): ApiError {
  return new ApiError(400, `missing required field: ${name}`);
}

/** 400 for a name that no path could have: a proxy, or a toxic, that no call could reach. */
export function checkName(name: string): void {
  if (!NAME.holds(name)) throw badBody(`name must be ${NAME.wanted}`);
}

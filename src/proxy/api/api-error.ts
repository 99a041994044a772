/** What the HTTP interface answers when it cannot do what it is asked: the sentences and numbers of Toxiproxy 2. */

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

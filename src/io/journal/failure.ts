/** The errors of journals: whether something was written is part of each. */

import { ZocaloError } from "../../core/errors.ts";

/** The record is at another version; nothing was written. */
export function stale(op: "commit" | "remove"): ZocaloError {
  return new ZocaloError("JOURNAL_STALE", { op, outcome: "none" });
}

/** The store takes no record of so many bytes; nothing was written. */
export function tooLong(bytes: number, limit: string): ZocaloError {
  const detail = `the record has ${bytes} bytes, more than ${limit} allows; raise that, or keep less in session.data`;
  return new ZocaloError("JOURNAL_RECORD_INVALID", { op: "commit", outcome: "none", detail });
}

/** The store is away or refuses; nothing was written. `detail` says why and what to do. */
export function unavailable(op: string, detail?: string, cause?: unknown): ZocaloError {
  return new ZocaloError("JOURNAL_UNAVAILABLE", { op, outcome: "none", detail, cause });
}

/** The store did not answer: nobody knows whether it has written. */
export function unknownOutcome(op: string, cause?: unknown): ZocaloError {
  return new ZocaloError("JOURNAL_UNKNOWN", { op, outcome: "unknown", cause });
}

/** The journal was not opened, or was closed. */
export function notOpen(op: string): ZocaloError {
  return unavailable(op, "the journal is not open: call open before, and close last");
}

/** What an error of the system means at one call. */

import type { ErrorCode, ErrorSide } from "../core/errors.ts";

/** The code; and where it has another sentence or another side than usual, these. */
export interface Meaning {
  readonly code: ErrorCode;
  readonly detail?: string | undefined;
  readonly side?: ErrorSide | undefined;
}

/** What the answers of the inspector are made from. */

import type { ErrorRing } from "./errors.ts";
import type { Registry } from "./registry.ts";
import type { Rows } from "./rows.ts";

/** What an inspector may change, when it was asked for by name. */
export type Permission = "disconnect" | "drain";

/** All of it. */
export interface Sources {
  readonly registry: Registry;
  readonly rows: Rows;
  readonly errors: ErrorRing;
  readonly payloads: boolean;
  readonly allow: ReadonlySet<Permission>;
  /** What the inspector says about the process and itself. */
  readonly about: () => object;
}

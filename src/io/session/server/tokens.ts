/** Names and secrets of sessions. */

import type { Random } from "../../network/network.ts";

/** Names a process or a session; nobody guesses it, but it is no secret. */
const ID_BYTES = 16;
/** A secret of 256 bits. */
const TOKEN_BYTES = 32;

/** A new name. */
export function newId(random: Random): string {
  return Buffer.from(random.bytes(ID_BYTES)).toString("base64url");
}

/** A new token. Keep its hash only, and never log it. */
export function newToken(random: Random): string {
  return Buffer.from(random.bytes(TOKEN_BYTES)).toString("base64url");
}

/**
 * Hostile peers of a server of sessions: garbage in the handshake and behind it. `HOSTILE_SEED` repeats a run,
 * `HOSTILE_ROUNDS` makes it longer; `npm run soak -- fuzz` is the long form.
 */

import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { test } from "node:test";
import { countOf } from "../soak/outcome.ts";
import { nothingEscapes } from "./escapes.ts";
import { fuzzSessions } from "./session-fuzz.ts";

/** About thirty seconds on a machine that does nothing else. */
const ROUNDS = 70_000;

nothingEscapes();

const seed = countOf("HOSTILE_SEED", randomInt(1, 2 ** 31));

test(`garbage against sessions (HOSTILE_SEED=${seed})`, async () => {
  const codes = await fuzzSessions({ rounds: countOf("HOSTILE_ROUNDS", ROUNDS), seed });
  for (const code of ["PROTOCOL_MISMATCH", "HANDSHAKE_INVALID", "FRAME_INVALID"]) assert.ok(codes.has(code), code);
});

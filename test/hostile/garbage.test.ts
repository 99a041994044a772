/**
 * A bounded fuzz of every kind of server. `HOSTILE_SEED` repeats a run (the seed stands in the name of what failed),
 * `HOSTILE_ROUNDS` makes it longer; `npm run soak -- fuzz` is the long form.
 */

import { randomInt } from "node:crypto";
import { test } from "node:test";
import { countOf } from "../soak/outcome.ts";
import { kinds } from "./listeners.ts";
import { nothingEscapes } from "./escapes.ts";
import { fuzzListener, fuzzDatagramSocket } from "./fuzz.ts";

const rounds = countOf("HOSTILE_ROUNDS", 2500);
const seed = countOf("HOSTILE_SEED", randomInt(1, 2 ** 31));

nothingEscapes();

for (const kind of kinds) {
  test(`garbage against ${kind.name} (HOSTILE_SEED=${seed})`, async () => {
    await fuzzListener(kind, { rounds, seed });
  });
}

test(`garbage against a datagram socket (HOSTILE_SEED=${seed})`, async () => {
  await fuzzDatagramSocket({ rounds, seed });
});

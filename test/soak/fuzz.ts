/**
 * Garbage against every kind of server: clients that keep the rules must be served all the time.
 *
 * `SOAK_ROUNDS` (20000) rounds per kind of server, `SOAK_SESSION_ROUNDS` (400000) against sessions, `SOAK_SEED` (1).
 */

import { kinds } from "../hostile/listeners.ts";
import { fuzzListener, fuzzDatagramSocket } from "../hostile/fuzz.ts";
import { fuzzSessions } from "../hostile/session-fuzz.ts";
import { conclude, countOf, liveBytes, openHandles, watchForEscapes } from "./outcome.ts";

/** Enough that caches and compiled code are there. */
const WARM_UP_ROUNDS = 5000;
/** Twenty bytes for each attack, and far more than noise. */
const MAX_GROWTH_BYTES = 8_388_608;

const rounds = countOf("SOAK_ROUNDS", 20_000);
const sessionRounds = countOf("SOAK_SESSION_ROUNDS", 400_000);
const seed = countOf("SOAK_SEED", 1);
const problems: string[] = [];

watchForEscapes(problems);
for (const kind of kinds) {
  try {
    const { stats } = (await fuzzListener(kind, { rounds, seed })).server;
    console.log(
      `fuzz: ${kind.name}: ${rounds} attacks, ${stats.accepted} accepted, ${stats.refused.handshake} refused`,
    );
  } catch (error) {
    problems.push(`${kind.name}: ${String(error)}`);
  }
}
try {
  console.log(`fuzz: udp: ${rounds} datagrams, ${await fuzzDatagramSocket({ rounds, seed })} handled`);
} catch (error) {
  problems.push(`udp: ${String(error)}`);
}
try {
  await fuzzSessions({ rounds: WARM_UP_ROUNDS, seed });
  const liveBefore = liveBytes();
  const codes = await fuzzSessions({ rounds: sessionRounds, seed });
  const grown = liveBytes() - liveBefore;
  if (grown > MAX_GROWTH_BYTES) problems.push(`sessions: ${grown} bytes of memory stay`);
  const told = [...codes].map(([code, times]) => `${times} ${code}`).join(", ");
  console.log(`fuzz: sessions: ${sessionRounds} attacks, ${told}, ${grown} bytes grown`);
} catch (error) {
  problems.push(`sessions: ${String(error)}`);
}
await new Promise((resolve) => setImmediate(resolve));
const left = openHandles();
if (left.length > 0) problems.push(`still open: ${left.join(", ")}`);
conclude(`fuzz (SOAK_SEED=${seed})`, problems);

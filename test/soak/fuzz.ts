/**
 * Garbage against every kind of server: clients that keep the rules must be served all the time.
 *
 * `SOAK_ROUNDS` (20000) rounds per kind of server, `SOAK_SEED` (1).
 */

import { kinds } from "../hostile/doors.ts";
import { fuzzDoor, fuzzMailbox } from "../hostile/fuzz.ts";
import { conclude, countOf, openHandles, watchForEscapes } from "./outcome.ts";

const rounds = countOf("SOAK_ROUNDS", 20_000);
const seed = countOf("SOAK_SEED", 1);
const problems: string[] = [];

watchForEscapes(problems);
for (const kind of kinds) {
  try {
    const { stats } = (await fuzzDoor(kind, { rounds, seed })).server;
    console.log(
      `fuzz: ${kind.name}: ${rounds} attacks, ${stats.accepted} accepted, ${stats.refused.handshake} refused`,
    );
  } catch (error) {
    problems.push(`${kind.name}: ${String(error)}`);
  }
}
try {
  console.log(`fuzz: udp: ${rounds} datagrams, ${await fuzzMailbox({ rounds, seed })} handled`);
} catch (error) {
  problems.push(`udp: ${String(error)}`);
}
await new Promise((resolve) => setImmediate(resolve));
const left = openHandles();
if (left.length > 0) problems.push(`still open: ${left.join(", ")}`);
conclude(`fuzz (SOAK_SEED=${seed})`, problems);

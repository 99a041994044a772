import { simTest } from "../../src/sim.ts";
import { sessionChaos } from "./session-chaos.ts";

/*
 * Two thousand seeds in two files, so that two cores share them; a hundred thousand in `npm run soak -- sessions`.
 * Each runs twice.
 */

simTest("sessions under chaos", { seeds: 1_000, checkOneIn: 1 }, sessionChaos);

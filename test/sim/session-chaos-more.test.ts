import { simTest } from "../../src/sim.ts";
import { sessionChaos } from "./session-chaos.ts";

/* The second half of the seeds of session-chaos.test.ts. */

simTest("sessions under chaos", { firstSeed: 1_001, seeds: 1_000, checkOneIn: 1 }, sessionChaos);

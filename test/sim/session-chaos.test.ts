import { simTest } from "../../src/sim.ts";
import { sessionChaos } from "./session-chaos.ts";

/* Two thousand seeds here, a hundred thousand in `npm run soak -- sessions`. */

simTest("sessions under chaos", { seeds: 2_000, checkOneIn: 1 }, sessionChaos);

import { simTest } from "../../src/sim.ts";
import { calmClosing, sessionClosing } from "./session-closing.ts";

/* A hundred and fifty seeds, one in ten of which runs twice; more in `npm run soak -- sessions`. */

simTest("sessions that end under chaos", { seeds: 100, checkOneIn: 1 }, sessionClosing);
simTest("sessions that end in peace", { seeds: 50, checkOneIn: 1 }, calmClosing);

import { simTest } from "../../src/sim.ts";
import { calmClosing, sessionClosing } from "./session-closing.ts";

/* Sixty seeds, each of which runs twice; more in `npm run soak -- sessions`. */

simTest("sessions that end under chaos", { seeds: 40, checkOneIn: 1 }, sessionClosing);
simTest("sessions that end in peace", { seeds: 20, checkOneIn: 1 }, calmClosing);

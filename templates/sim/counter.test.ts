import { simTest } from "zocalo/sim";
import { chaos, program } from "./counter.ts";

simTest("no request is counted twice", { seeds: 50, chaos }, (world) => program(world));

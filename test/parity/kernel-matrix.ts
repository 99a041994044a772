/** Prints the matrix of this machine's kernel: for a network namespace that was made for it, and nowhere else. */
import { nodeNetwork } from "../../src/index.ts";
import { reachMatrix } from "./reach-matrix.ts";

process.stdout.write(JSON.stringify(await reachMatrix(nodeNetwork)));

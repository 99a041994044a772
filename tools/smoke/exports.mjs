// The package loads, and has a class that works.
import * as zocalo from "zocalo";

const names = Object.keys(zocalo).sort();
const error = new zocalo.ZocaloError("CLOSED", { op: "read" });
if (!(error instanceof Error) || error.code !== "CLOSED") throw new Error("ZocaloError does not work");
console.log(`${names.length} exports: ${names.join(", ")}`);

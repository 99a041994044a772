/** What every soak reports: numbers from the environment, and the resources that were left over. */

/** A count from the environment variable `name`, else `standard`. */
export function countOf(name: string, standard: number): number {
  const text = process.env[name];
  const value = text === undefined || text === "" ? standard : Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new Error(`${name} must be a whole number from 1 on, not ${text}`);
}

function socketHandles(): string[] {
  return process.getActiveResourcesInfo().filter((name) => /TCP|TLS|UDP|Pipe/.test(name));
}

// The output may be a pipe, which counts as a handle once it is opened: open it now.
void [process.stdout, process.stderr];
const before = socketHandles();

/** Handles of sockets that are open now and were not when the program began. */
export function openHandles(): readonly string[] {
  const rest = socketHandles();
  for (const name of before) {
    const at = rest.indexOf(name);
    if (at !== -1) rest.splice(at, 1);
  }
  return rest;
}

/** Bytes of the heap and of buffers outside it, after a collection. */
export function liveBytes(): number {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Ends the process with 1 when `problems` is not empty, after printing them. */
export function conclude(name: string, problems: readonly string[]): void {
  for (const problem of problems) console.error(`${name}: ${problem}`);
  console.log(`${name}: ${problems.length === 0 ? "passed" : "FAILED"}`);
  if (problems.length > 0) process.exitCode = 1;
}

/** Problems that nobody awaited: each is told at once, and is a failure of the soak. */
export function watchForEscapes(problems: string[]): void {
  const note = (kind: string) => (error: unknown) => {
    const text = `${kind}: ${error instanceof Error ? error.stack : String(error)}`;
    console.error(text);
    problems.push(text);
  };
  process.on("unhandledRejection", note("unhandled rejection"));
  process.on("uncaughtException", (error) => {
    note("uncaught exception")(error);
    // The program itself may be what failed; then nothing would end it.
    process.exit(1);
  });
}

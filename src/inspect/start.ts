/**
 * The entry of `zocalo/inspect`. Named by `--import`, on the command line or in `NODE_OPTIONS`, it starts the inspector as soon as the
 * program opens something, with options from the environment; imported by a program, it does nothing by itself.
 */

import { inspect, type InspectOptions, registry } from "./inspect.ts";

export { inspect } from "./inspect.ts";

/** The names by which `--import` may ask for this entry. */
const NAMES: ReadonlySet<string> = new Set(["zocalo/inspect", new URL("../inspect.js", import.meta.url).href]);

/** Whether a command line has `--import` with one of the names, as one word or two. */
export function asksFor(words: readonly string[]): boolean {
  return words.some((word, index) => {
    const name = word.startsWith("--import=") ? word.slice("--import=".length) : undefined;
    return NAMES.has(name?.replaceAll(/^"|"$/g, "") ?? (word === "--import" ? (words[index + 1] ?? "") : ""));
  });
}

/** The options that the environment gives; what makes no sense is an error of `inspect`. */
export function optionsFrom(environment: Readonly<Record<string, string | undefined>>): InspectOptions {
  const given = (name: string): string | undefined => environment[`ZOCALO_INSPECT_${name}`] || undefined;
  const port = given("PORT");
  const allow = given("ALLOW")
    ?.split(",")
    .map((name) => name.trim()) as InspectOptions["allow"];
  return {
    port: port === undefined ? undefined : Number(port),
    path: given("PATH"),
    payloads: given("PAYLOADS") === "1",
    allow,
  };
}

/**
 * Begins when the first thing is opened: what runs beside the program, such as npm, opens nothing and must not print. The program goes on
 * whatever happens here.
 */
function startWithProgram(): void {
  const stop = registry.start(() => {
    // Before this one stops, so that what is listed stays so.
    const started = inspect(optionsFrom(process.env));
    stop();
    started.then(
      ({ url }) => process.stderr.write(`zocalo: process ${process.pid} can be inspected at ${url}\n`),
      (error: unknown) =>
        process.stderr.write(`zocalo: process ${process.pid} cannot be inspected: ${String(error)}\n`),
    );
  });
}

if (asksFor([...process.execArgv, ...(process.env["NODE_OPTIONS"] ?? "").split(/\s+/)])) startWithProgram();

/** What the command reads from files: schedules of faults, and lists of proxies. */

import { readFileSync } from "node:fs";
import { type Command, InvalidArgumentError } from "commander";
import { parseSchedule, type ProxySchedule } from "../../proxy.ts";
import { wrongUsage } from "../terminal/exit-codes.ts";
import { inLanguage } from "../terminal/language.ts";

const TEXTS = inLanguage({
  en: {
    group: "Schedules and captures:",
    faults: "play this list of faults from the start",
    as: "which host of the list is the client or the server, such as client=alice; may stand several times",
    asWhat: "Give client=NAME or server=NAME.",
    asWithout: "--as names the hosts of --faults; give both",
    unreadable: (file: string, why: string) => `cannot read ${file}: ${why}`,
    noJson: (file: string, why: string) => `${file} is no JSON: ${why}`,
  },
  es: {
    group: "Guiones y capturas:",
    faults: "sigue esta lista de fallos desde el principio",
    as: "qué máquina de la lista es el cliente o el servidor, como client=alicia; puede ir varias veces",
    asWhat: "Da client=NOMBRE o server=NOMBRE.",
    asWithout: "--as nombra las máquinas de --faults; da las dos",
    unreadable: (file, why) => `no se puede leer ${file}: ${why}`,
    noJson: (file, why) => `${file} no es JSON: ${why}`,
  },
});

type Hosts = Partial<Readonly<Record<"client" | "server", readonly string[]>>>;

/** The flags of schedules. */
export interface ScheduleFlags {
  readonly faults?: string;
  readonly as?: Hosts;
}

/** Adds them. */
export function addScheduleFlags(command: Command): void {
  command.optionsGroup(TEXTS.group).option("--faults <list>", TEXTS.faults).option("--as <names>", TEXTS.as, withHost);
}

function withHost(text: string, before: Hosts = {}): Hosts {
  const [, role, name] = /^(client|server)=(.+)$/.exec(text) ?? [];
  if (role === undefined || name === undefined) throw new InvalidArgumentError(TEXTS.asWhat);
  return { ...before, [role]: [...(before[role as keyof Hosts] ?? []), name] };
}

/** The schedule that the flags ask for. */
export function scheduleOf({ faults, as: hosts }: ScheduleFlags): ProxySchedule | undefined {
  if (faults !== undefined) return parseSchedule(JSON.stringify(readJson(faults)), { hosts });
  if (hosts !== undefined) throw wrongUsage(TEXTS.asWithout);
  return undefined;
}

/** What a file of JSON has. */
export function readJson(file: string): unknown {
  const text = readText(file);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw wrongUsage(TEXTS.noJson(file, (error as Error).message));
  }
}

function readText(file: string): string {
  try {
    // Some editors put a byte order mark first.
    return readFileSync(file, "utf8").replace(/^\uFEFF/, "");
  } catch (error) {
    throw wrongUsage(TEXTS.unreadable(file, (error as Error).message));
  }
}

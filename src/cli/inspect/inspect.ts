/** `zocalo inspect`: what a running program has open, and what it does. */

import { type Command, Option } from "commander";
import { countUpTo, newCommand } from "../terminal/command.ts";
import { EXIT, wrongUsage } from "../terminal/exit-codes.ts";
import { inLanguage } from "../terminal/language.ts";
import { type CommandContext, running } from "../terminal/run-command.ts";
import { ask, targetFrom } from "./ask.ts";
import { COLUMNS, factsOf, type Row, tableOf } from "./tables.ts";

const TEXTS = inLanguage({
  en: {
    help: {
      summary: "show what a running program does",
      paragraphs: [
        "Asks the inspector of a program on this machine and prints what it says as a table: servers, sessions, connections, " +
          "datagrams, errors, or one of them by its number, such as sessions/5. `dump` prints everything as one line of JSON, " +
          "without anything that was said: it can be sent to somebody else.",
        "The program runs with NODE_OPTIONS=--import=zocalo/inspect, or calls inspect(). It changes nothing in the program.",
      ],
    },
    program: "the process id, or the address that the program has printed",
    what: "servers (default), sessions, connections, datagrams, errors, dump, or LIST/NUMBER",
    sort: "put sessions in order of memory held, round trip, age or rate, the highest first",
    limit: "print at most so many rows",
    json: "print the answer as JSON, on stdout",
    unknown: (what: string) => `there is no list "${what}"; see zocalo inspect --help`,
    onlySessions: "--sort is for sessions",
    more: (limit: number) => `more than ${limit}; --limit shows more`,
    none: "none",
  },
  es: {
    help: {
      summary: "enseña lo que hace un programa que está en marcha",
      paragraphs: [
        "Pregunta al inspector de un programa de esta máquina y escribe como una tabla lo que dice: servidores (servers), " +
          "sesiones (sessions), conexiones (connections), datagramas (datagrams), errores (errors), o uno de ellos por su " +
          "número, como sessions/5. `dump` lo escribe todo en una línea de JSON, sin nada de lo que se dijo: se puede enviar a " +
          "otra persona.",
        "El programa corre con NODE_OPTIONS=--import=zocalo/inspect, o llama a inspect(). En el programa no cambia nada.",
      ],
    },
    program: "el número del proceso, o la dirección que ha escrito el programa",
    what: "servers (por omisión), sessions, connections, datagrams, errors, dump, o LISTA/NÚMERO",
    sort: "ordena las sesiones por memoria, ida y vuelta, edad o ritmo, lo más alto primero",
    limit: "escribe como mucho tantas filas",
    json: "escribe la respuesta como JSON, en stdout",
    unknown: (what) => `no hay ninguna lista «${what}»; mira zocalo inspect --help`,
    onlySessions: "--sort es para las sesiones",
    more: (limit) => `hay más de ${limit}; --limit enseña más`,
    none: "nada",
  },
});

const EXAMPLES = [
  "zocalo inspect 4242",
  "zocalo inspect 4242 sessions --sort held",
  "zocalo inspect 4242 sessions/5",
  "zocalo inspect 4242 dump > dump.json",
];

/** One answer of the inspector has no more. */
const MOST_ROWS = 1000;
const USUAL_ROWS = 20;
const LISTS = ["servers", "sessions", "connections", "datagrams", "errors"] as const;

interface Flags {
  readonly json?: boolean;
  readonly sort?: string;
  readonly limit?: number;
}

/** The command. */
export function inspectCommand(): Command {
  return newCommand("inspect", { ...TEXTS.help, examples: EXAMPLES })
    .argument("<program>", TEXTS.program)
    .argument("[what]", TEXTS.what, "servers")
    .addOption(new Option("--sort <by>", TEXTS.sort).choices(["held", "rtt", "age", "rate"]))
    .option("--limit <number>", TEXTS.limit, countUpTo(MOST_ROWS))
    .option("--json", TEXTS.json)
    .action(running(inspect, {}));
}

async function inspect(program: string, what: string, flags: Flags, context: CommandContext): Promise<number> {
  const target = targetFrom(program);
  const { stdout, stop } = context;
  const path = pathOf(what, flags);
  const answer = await ask(target, path, stop);
  const lines =
    flags.json === true || what === "dump" ? [answer.trimEnd()] : linesOf(what, JSON.parse(answer) as Row, flags);
  await stdout.write(`${lines.join("\n")}\n`);
  return EXIT.done;
}

function pathOf(what: string, { sort, limit = USUAL_ROWS }: Flags): string {
  const known = what === "dump" || /^(?:servers|sessions|connections|datagrams)\/\d+$/.test(what) || isList(what);
  if (!known && !/^servers\/\d+\/sessions$/.test(what)) throw wrongUsage(TEXTS.unknown(what));
  if (sort !== undefined && !what.endsWith("sessions")) throw wrongUsage(TEXTS.onlySessions);
  if (what === "dump" || what === "errors" || /\d$/.test(what)) return `/${what}`;
  return `/${what}?limit=${limit}${sort === undefined ? "" : `&sort=${sort}`}`;
}

function isList(what: string): what is (typeof LISTS)[number] {
  return (LISTS as readonly string[]).includes(what);
}

function linesOf(what: string, answer: Row, { limit = USUAL_ROWS }: Flags): readonly string[] {
  const name = what.split("/").at(-1) as string;
  if (!isList(name)) return detailOf(answer);
  const rows = answer[name] as readonly Row[];
  if (rows.length === 0) return [TEXTS.none];
  const more = answer["next"] === undefined ? [] : [TEXTS.more(limit)];
  return [...tableOf(COLUMNS[name], rows.slice(0, limit)), ...more];
}

/** One object: its figures, then the tables of what it has under way. */
function detailOf(answer: Row): readonly string[] {
  const lists = [
    [COLUMNS.calls, listIn(answer["calls"])],
    [COLUMNS.streams, listIn(answer["streams"])],
    [COLUMNS.errors, (answer["lastErrors"] ?? []) as readonly Row[]],
  ] as const;
  const tables = lists.flatMap(([columns, rows]) => (rows.length === 0 ? [] : ["", ...tableOf(columns, rows)]));
  return [...factsOf(answer), ...tables];
}

function listIn(value: unknown): readonly Row[] {
  return ((value as Row | undefined)?.["list"] ?? []) as readonly Row[];
}

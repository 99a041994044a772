/** What the inspector answers, as tables for a terminal. */

import { bytesText, timeText } from "../terminal/figures.ts";
import { inLanguage } from "../terminal/language.ts";
import { visibleText } from "../terminal/visible-text.ts";

/** An object of an answer. */
export type Row = Readonly<Record<string, unknown>>;

/** A column: its title, what stands in it, and whether that is a number, which stands at the right. */
export interface Column {
  readonly title: string;
  readonly of: (row: Row) => string;
  readonly right?: true;
}

const TITLES = inLanguage({
  en: {
    id: "ID",
    kind: "KIND",
    address: "ADDRESS",
    open: "OPEN",
    sessions: "SESSIONS",
    held: "HELD",
    contract: "CONTRACT",
    side: "SIDE",
    state: "STATE",
    remote: "REMOTE",
    local: "LOCAL",
    age: "AGE",
    sent: "SENT",
    received: "RECEIVED",
    pending: "PENDING",
    roundTrip: "RTT",
    rate: "MSG/S",
    principal: "PRINCIPAL",
    dropped: "DROPPED",
    waiting: "WAITING",
    unsent: "UNSENT",
    unread: "UNREAD",
    ago: "AGO",
    code: "CODE",
    operation: "CALL",
    from: "FROM",
    method: "METHOD",
    remaining: "LEFT",
    free: "CREDIT",
  },
  es: {
    id: "ID",
    kind: "CLASE",
    address: "DIRECCIÓN",
    open: "ABIERTAS",
    sessions: "SESIONES",
    held: "MEMORIA",
    contract: "CONTRATO",
    side: "LADO",
    state: "ESTADO",
    remote: "REMOTA",
    local: "LOCAL",
    age: "EDAD",
    sent: "ENVIADOS",
    received: "RECIBIDOS",
    pending: "EN CURSO",
    roundTrip: "IDA Y VUELTA",
    rate: "MENS/S",
    principal: "QUIÉN",
    dropped: "PERDIDOS",
    waiting: "ESPERAN",
    unsent: "SIN ENVIAR",
    unread: "SIN LEER",
    ago: "HACE",
    code: "CÓDIGO",
    operation: "LLAMADA",
    from: "DE",
    method: "MÉTODO",
    remaining: "QUEDA",
    free: "CRÉDITO",
  },
});

type Title = keyof typeof TITLES;

function column(title: Title, of: (row: Row) => string, right?: true): Column {
  return { title: TITLES[title], of, ...(right === true ? { right } : {}) };
}

/** A value of the row, or of an object in it: `stats.open`. */
function valueAt(row: Row, path: string): unknown {
  let value: unknown = row;
  for (const name of path.split(".")) value = (value as Row | null | undefined)?.[name];
  return value;
}

const text = (title: Title, path: string): Column => column(title, (row) => textOf(valueAt(row, path)));
const number = (title: Title, ...paths: readonly string[]): Column =>
  column(title, (row) => textOf(paths.map((path) => valueAt(row, path)).find((one) => one !== undefined)), true);
const bytes = (title: Title, path: string): Column =>
  column(title, (row) => figureOf(valueAt(row, path), bytesText), true);
const time = (title: Title, path: string): Column =>
  column(title, (row) => figureOf(valueAt(row, path), timeText), true);

/** What stands in a cell; a peer may have written a part of it. */
function textOf(value: unknown): string {
  if (typeof value === "object") return "-";
  return value === undefined ? "-" : visibleText(`${value as string | number | boolean}`);
}

/** A number as `write` writes it; a dash where there is none. */
function figureOf(value: unknown, write: (figure: number) => string): string {
  return typeof value === "number" ? write(value) : "-";
}

const ID = text("id", "id");
const PEERS: readonly Column[] = [text("local", "local"), text("remote", "remote")];

type List = "servers" | "sessions" | "connections" | "datagrams" | "errors" | "calls" | "streams";

/** The columns of each list, by its name in the answer. */
export const COLUMNS: Readonly<Record<List, readonly Column[]>> = {
  servers: [
    ID,
    text("kind", "kind"),
    text("address", "address"),
    time("age", "ageMs"),
    number("open", "stats.listener.open", "stats.open", "stats.requestsActive"),
    number("sessions", "stats.sessions"),
    bytes("held", "stats.heldBytes"),
    text("contract", "contract"),
  ],
  sessions: [
    ID,
    text("side", "side"),
    text("state", "state"),
    text("remote", "remote"),
    time("age", "ageMs"),
    number("sent", "sent"),
    number("received", "received"),
    number("pending", "pending"),
    bytes("held", "heldBytes"),
    time("roundTrip", "roundTripMs"),
    number("rate", "messagesPerSecond"),
    text("principal", "principal"),
  ],
  connections: [
    ID,
    ...PEERS,
    time("age", "ageMs"),
    bytes("received", "bytesReceived"),
    bytes("sent", "bytesSent"),
    bytes("unread", "unreadBytes"),
    bytes("unsent", "unsentBytes"),
  ],
  datagrams: [
    ID,
    ...PEERS,
    time("age", "ageMs"),
    number("received", "stats.datagramsReceived"),
    number("sent", "stats.datagramsSent"),
    number("dropped", "stats.datagramsDropped"),
    number("waiting", "stats.datagramsWaiting"),
  ],
  errors: [time("ago", "agoMs"), text("code", "code"), text("operation", "op"), ...PEERS],
  calls: [ID, text("from", "from"), text("method", "method"), time("age", "ageMs"), time("remaining", "remainingMs")],
  streams: [
    ID,
    text("from", "from"),
    text("method", "method"),
    bytes("sent", "sentBytes"),
    bytes("free", "freeBytes"),
    bytes("waiting", "waitingBytes"),
  ],
};

/** A list as a table with its titles. */
export function tableOf(columns: readonly Column[], rows: readonly Row[]): readonly string[] {
  const cells = [columns.map(({ title }) => title), ...rows.map((row) => columns.map(({ of }) => of(row)))];
  const widths = columns.map((_column, index) => Math.max(...cells.map((line) => (line[index] as string).length)));
  return cells.map((line) =>
    line
      .map((cell, index) => {
        const width = widths[index] as number;
        return columns[index]?.right === true ? cell.padStart(width) : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd(),
  );
}

/** One object, a line for each of its figures; what has lists of its own is left out. */
export function factsOf(row: Row): readonly string[] {
  const facts = Object.entries(row).flatMap(([name, value]) => factsIn(name, value));
  const width = Math.max(0, ...facts.map(([name]) => name.length));
  return facts.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
}

function factsIn(name: string, value: unknown): readonly (readonly [name: string, value: string])[] {
  if (Array.isArray(value)) return [];
  if (typeof value === "object" && value !== null) {
    return Object.entries(value).flatMap(([inner, one]) => factsIn(`${name}.${inner}`, one));
  }
  const write = name.endsWith("Bytes") ? bytesText : name.endsWith("Ms") ? timeText : undefined;
  return [[name, write === undefined ? textOf(value) : figureOf(value, write)]];
}

/** Asks the inspector of a program: one request of HTTP/1.0, over the port or the Unix socket where it listens. */

import { connect, type StreamSocket, ZocaloError } from "../../index.ts";
import { inspectorPaths } from "../../inspect.ts";
import { CommandFailure, wrongUsage } from "../terminal/exit-codes.ts";
import { inLanguage } from "../terminal/language.ts";

const TEXTS = inLanguage({
  en: {
    target: (text: string) => `"${text}" is no process id, and no address that an inspector has printed`,
    none: (pid: string) =>
      `no inspector of process ${pid} is found for this user; start the program with NODE_OPTIONS=--import=zocalo/inspect`,
    odd: "what answers there is no inspector",
  },
  es: {
    target: (text) => `«${text}» no es un número de proceso ni una dirección que haya escrito un inspector`,
    none: (pid) =>
      `este usuario no tiene ningún inspector del proceso ${pid}; arranca el programa con NODE_OPTIONS=--import=zocalo/inspect`,
    odd: "lo que contesta ahí no es un inspector",
  },
});

/** An inspector that can be asked. */
export interface Target {
  readonly addresses: readonly string[];
  readonly host: string;
  readonly token: string;
  /** Where it was named by its process. */
  readonly pid: string | undefined;
}

/** A dump of 20,000 sessions has less. */
const MOST_ANSWER_BYTES = 268_435_456;
const MOST_HEAD_BYTES = 16_384;

/** Reads what a person gives: a process id, `http://127.0.0.1:PORT/?token=...`, or `unix:PATH`. */
export function targetFrom(text: string): Target {
  if (/^\d+(?:-\d+)?$/.test(text)) {
    return { addresses: inspectorPaths(text).map((path) => `unix:${path}`), host: "localhost", token: "", pid: text };
  }
  if (text.startsWith("unix:")) return { addresses: [text], host: "localhost", token: "", pid: undefined };
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isLocal = url?.hostname === "127.0.0.1" || url?.hostname === "localhost";
  if (url?.protocol !== "http:" || !isLocal || url.port === "") throw wrongUsage(TEXTS.target(text));
  const token = url.searchParams.get("token") ?? "";
  return { addresses: [`tcp://127.0.0.1:${url.port}`], host: url.host, token, pid: undefined };
}

/** The body of the answer to a path, as text. */
export async function ask(target: Target, path: string, signal: AbortSignal): Promise<string> {
  await using connection = await reach(target, signal);
  const token = target.token === "" ? "" : `x-zocalo-token: ${target.token.replaceAll(/[^\w-]/g, "")}\r\n`;
  await connection.write(`GET ${path} HTTP/1.0\r\nhost: ${target.host}\r\n${token}\r\n`, { signal });
  const head = (await connection.readUntil("\r\n\r\n", { maxBytes: MOST_HEAD_BYTES, signal })).toString("latin1");
  const [, status] = /^HTTP\/1\.\d (\d{3}) /.exec(head) ?? [];
  const body = await rest(connection, signal);
  if (status === "200") return body;
  throw new CommandFailure("INSPECTOR", (status === undefined ? undefined : errorIn(body)) ?? TEXTS.odd);
}

async function reach({ addresses, pid }: Target, signal: AbortSignal): Promise<StreamSocket> {
  for (const [index, address] of addresses.entries()) {
    try {
      return await connect(address, { signal });
    } catch (error) {
      if (pid === undefined || !(error instanceof ZocaloError)) throw error;
      if (index === addresses.length - 1) throw new CommandFailure("INSPECTOR", TEXTS.none(pid), error);
    }
  }
  throw wrongUsage(TEXTS.target(""));
}

async function rest(connection: StreamSocket, signal: AbortSignal): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for (let part = await connection.read({ signal }); part !== null; part = await connection.read({ signal })) {
    bytes += part.length;
    if (bytes > MOST_ANSWER_BYTES) throw new CommandFailure("INSPECTOR", TEXTS.odd);
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

/** The sentence in the answer of an inspector. */
function errorIn(body: string): string | undefined {
  try {
    const { error } = JSON.parse(body) as { readonly error?: unknown };
    return typeof error === "string" ? error : undefined;
  } catch {
    return undefined;
  }
}

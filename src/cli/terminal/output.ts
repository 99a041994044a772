/**
 * What the command tells beside its data, always on stderr: lines for people, or with `--json` one event a line. Data has
 * stdout for itself.
 */

import type { WriteStream } from "node:tty";
import { ConnectError, describeCode, type ErrorCode, TimeoutError, ZocaloError } from "../../index.ts";
import { CommandError, CommandFailure } from "./exit-codes.ts";
import { jsonText } from "./json-text.ts";
import { inLanguage, SPANISH_SENTENCES } from "./language.ts";
import { visibleText } from "./visible-text.ts";

/** What `--json` and `--verbose` ask for. */
export interface OutputOptions {
  readonly json?: boolean | undefined;
  readonly verbose?: boolean | undefined;
}

/** Something that happened: its name and its facts. */
export interface CommandEvent {
  readonly event: string;
  readonly [fact: string]: unknown;
}

/** The stderr of the command. */
export class Output {
  readonly json: boolean;
  readonly verbose: boolean;
  readonly colours: Colours;

  constructor(options: OutputOptions) {
    this.json = options.json === true;
    this.verbose = options.verbose === true;
    this.colours = coloursFor(process.stderr);
  }

  /** Tells everybody. */
  say(event: CommandEvent, text: string): void {
    this.#line(this.json ? jsonText(event) : text);
  }

  /** Tells whoever asked for details (`-v`), or for events (`--json`). */
  detail(event: CommandEvent, text: string): void {
    if (this.json || this.verbose) this.say(event, text);
  }

  /** The last line of a command that failed. */
  error(error: unknown): void {
    const facts = factsOf(error);
    if (this.json) {
      this.#line(jsonText({ event: "error", ...facts }));
      return;
    }
    this.#line(`zocalo: ${sentenceOf(facts, this.colours.red)}`);
    if (this.verbose) this.#moreAbout(error);
  }

  /** Something went wrong that the person did not cause, with one of many peers; the command goes on. */
  problem(error: unknown): void {
    if (this.json || this.verbose) this.warning(error);
  }

  /** Something went wrong that the person must know; the command goes on. */
  warning(error: unknown): void {
    const facts = factsOf(error);
    this.say({ event: "problem", ...facts }, sentenceOf(facts, this.colours.yellow));
  }

  #moreAbout(error: unknown): void {
    if (error instanceof ConnectError || error instanceof TimeoutError) {
      for (const attempt of error.attempts) this.#line(`  tried ${attempt.address}: ${attempt.error.code}`);
    } else if (error instanceof CommandFailure) {
      // Its own stack is that of the command, which is no news.
      if (error.cause instanceof Error) this.#line(String(error.cause.stack));
    } else if (error instanceof Error && !(error instanceof ZocaloError)) this.#line(String(error.stack));
  }

  #line(text: string): void {
    process.stderr.write(`${text}\n`);
  }
}

interface OutputTexts {
  /** What the library calls its options in a sentence, and what they are called here. */
  readonly flags: Readonly<Record<string, string>>;
  /** What else could be done about the certificate of a peer. */
  readonly advice: Partial<Record<ErrorCode, string>>;
  /** What else to do about an error here, behind what the peer says. */
  readonly hints: Partial<Record<ErrorCode, string>>;
  readonly bug: string;
}

const TEXTS = inLanguage<OutputTexts>({
  en: {
    flags: {
      ca: "--ca FILE",
      cert: "--cert FILE",
      key: "--key FILE",
      servername: "--servername NAME",
      alpn: "--alpn NAMES",
      hosts: "--as client=NAME and --as server=NAME",
      expose: "--expose",
    },
    advice: {
      CERTIFICATE_UNTRUSTED: "or accept any with --insecure",
      CERTIFICATE_NAME_MISMATCH: "or say which with --servername NAME",
    },
    hints: { UNAUTHENTICATED: "give credentials with --auth FILE" },
    bug: "this is a bug in zocalo; -v prints the stack",
  },
  es: {
    flags: {
      ca: "--ca ARCHIVO",
      cert: "--cert ARCHIVO",
      key: "--key ARCHIVO",
      servername: "--servername NOMBRE",
      alpn: "--alpn NOMBRES",
      hosts: "--as client=NOMBRE y --as server=NOMBRE",
      expose: "--expose",
    },
    advice: {
      CERTIFICATE_UNTRUSTED: "o acepta cualquiera con --insecure",
      CERTIFICATE_NAME_MISMATCH: "o di cuál con --servername NOMBRE",
    },
    hints: { UNAUTHENTICATED: "da las credenciales con --auth ARCHIVO" },
    bug: "es un error de zocalo; -v escribe la pila de llamadas",
  },
});

/** An option in a sentence of the library: `ca` in quotes, or tls.ca. */
const OPTION = /`(\w+)`|\btls\.(\w+)/g;

interface ErrorFacts {
  readonly code: string;
  readonly address: string | undefined;
  readonly op?: string | undefined;
  readonly side?: string | undefined;
  readonly detail: string;
}

function factsOf(error: unknown): ErrorFacts {
  if (error instanceof ZocaloError) {
    const { code, op, side } = error;
    const reason = sentenceFor(error).replaceAll(
      OPTION,
      (text, quoted?: string, tls?: string) => TEXTS.flags[quoted ?? tls ?? ""] ?? text,
    );
    const hint = TEXTS.hints[code] ?? (side === "remote" ? TEXTS.advice[code] : undefined);
    const detail = hint === undefined ? reason : `${reason}; ${hint}`;
    return { code, address: error.remote ?? error.local, op, side, detail };
  }
  if (error instanceof CommandFailure) return { code: error.code, address: undefined, detail: error.message };
  const detail = error instanceof Error ? error.message : String(error);
  return { code: "INTERNAL", address: undefined, detail: `${detail} (${TEXTS.bug})` };
}

/** What the library says, in the language of the command: what it says beyond the sentence of its code is in English. */
export function sentenceFor(error: ZocaloError): string {
  const { code, detail } = error;
  if (error instanceof CommandError) return detail;
  const spanish = SPANISH_SENTENCES[code];
  return inLanguage({
    en: detail,
    es: detail === describeCode(code).detail ? spanish : `${spanish} (${detail})`,
  });
}

/** On one line. */
function sentenceOf({ code, address, detail }: ErrorFacts, paint: (text: string) => string): string {
  const where = address === undefined ? "" : ` ${address}`;
  return `${paint(code)}${where}: ${visibleText(detail.replaceAll(/\s*\n\s*/g, " "))}`;
}

/** Each puts a colour around a text, or gives the text back as it is. */
export type Colours = Readonly<Record<"bold" | "dim" | "red" | "green" | "yellow" | "cyan", (text: string) => string>>;

/**
 * The colours for one output. Only a terminal gets any; it is asked what it can show, which respects `NO_COLOR`
 * (no-color.org), `FORCE_COLOR` and `TERM=dumb`.
 */
export function coloursFor(stream: Partial<Pick<WriteStream, "isTTY" | "hasColors">>): Colours {
  const on = stream.isTTY === true && stream.hasColors?.() === true;
  const style = (begin: number, end: number) => (text: string) => (on ? `\u001b[${begin}m${text}\u001b[${end}m` : text);
  return {
    bold: style(1, 22),
    dim: style(2, 22),
    red: style(31, 39),
    green: style(32, 39),
    yellow: style(33, 39),
    cyan: style(36, 39),
  };
}

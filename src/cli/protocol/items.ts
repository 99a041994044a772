/** The items of a stream as lines of JSON: each that comes on stdout, each that goes from stdin. */

import type { Schema, SessionStream } from "../../protocol.ts";
import { inputMessages } from "../sockets/framing-option.ts";
import type { MessageEnds } from "../sockets/join.ts";
import { CommandError } from "../terminal/exit-codes.ts";
import { inLanguage } from "../terminal/language.ts";
import { PatientInput } from "../terminal/standard-streams.ts";
import { jsonLine, valueFrom } from "./json-values.ts";
import type { ServerMethod } from "./load-contract.ts";

/** The items of a stream of any contract. */
export type Items = SessionStream<unknown, unknown>;

/** Writes each item that comes as a line of JSON, as it comes. */
export async function showItems(items: Items, { stdout }: Pick<MessageEnds, "stdout">): Promise<void> {
  for await (const item of items) await stdout.write(jsonLine(item));
}

/**
 * Like {@link showItems}, for a stream that takes items too: each line of stdin is one. When the server has ended its
 * items, what stdin still gives is sent until it is silent. A line that is no JSON ends the command; at a terminal it is told
 * of and the next one is tried, since people mistype.
 */
export async function exchangeItems(items: Items, method: ServerMethod, ends: MessageEnds): Promise<void> {
  const { stdin, stop } = ends;
  const patient = new PatientInput(stdin, [stop, items.signal]);
  let failure: { readonly by: unknown } | undefined;
  const fail = (error: unknown): void => {
    failure ??= { by: error };
    items.abort();
  };
  const sending = sendItems(items, method, patient, ends).catch(fail);
  try {
    await showItems(items, ends);
    // A stream without items of the server's looks as if they had ended.
    if (method.shows) patient.loseInterest();
  } catch (error) {
    fail(error);
  }
  await sending;
  patient.release();
  if (failure !== undefined) throw failure.by;
}

const itemOf = inLanguage({
  en: (line: number, stream: string) => `line ${line} of stdin, an item of the stream ${stream},`,
  es: (line, stream) => `la línea ${line} de stdin, un elemento del flujo ${stream},`,
});

async function sendItems(
  items: Items,
  { name, takes }: ServerMethod,
  input: PatientInput,
  { stdin, output }: MessageEnds,
): Promise<void> {
  let number = 0;
  for await (const line of inputMessages(() => input.read())) {
    number += 1;
    const text = line.toString();
    if (text.trim() === "") continue;
    try {
      const item = itemFrom(text, takes, itemOf(number, name));
      await items.send(item);
    } catch (error) {
      if (!stdin.isTerminal || items.signal.aborted) throw error;
      output.warning(error);
    }
  }
  items.end();
}

function itemFrom(text: string, schema: Schema | undefined, what: string): unknown {
  return valueFrom(
    text,
    schema,
    what,
    (detail) => new CommandError("FRAME_INVALID", { op: "stdin", side: "local", detail }),
  );
}

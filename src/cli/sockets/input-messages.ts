/** Stdin as messages: each line is one. */

import { UsageError, ZocaloError } from "../../index.ts";
import { bytes, chain, lines } from "../../framing.ts";
import { MAX_LINE_BYTES } from "./framing-option.ts";

/** How the input ended. */
export type InputEnd = "ended" | "silent";

/**
 * The lines without their ends (LF or CR LF), wherever the bytes are cut. What stands behind the last line end is a message
 * too. Answers how the input ended.
 *
 * @param read - The next bytes; null at the end; `silent` when no more is waited for.
 */
export async function* inputMessages(
  read: () => Promise<Buffer | null | "silent">,
): AsyncGenerator<Buffer, InputEnd, undefined> {
  const decoder = chain(lines({ maxLineBytes: MAX_LINE_BYTES }), bytes()).createDecoder();
  for (;;) {
    const input = await read();
    if (input === null || input === "silent") {
      const rest = decoder.takeRest();
      if (rest.length > 0) yield rest;
      return input === null ? "ended" : "silent";
    }
    const messages: Buffer[] = [];
    try {
      decoder.decode(input, 0, input.length, (message) => messages.push(decoder.own(message)));
    } catch (error) {
      if (!(error instanceof ZocaloError)) throw error;
      const detail = `a line of stdin has more than ${MAX_LINE_BYTES} bytes; write shorter messages`;
      throw new UsageError("FRAME_TOO_LONG", { op: "stdin", side: "local", detail, cause: error });
    }
    yield* messages;
  }
}

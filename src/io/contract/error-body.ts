/** The errors of a program as the bodies of messages: JSON in every codec. */

import { RemoteError, remoteErrorFields, remoteErrorOf } from "../../core/contract/remote-error.ts";
import { InvalidContent } from "../../core/framing/invalid-content.ts";
import { json } from "../../core/framing/formats/json.ts";
import type { MessageFormat } from "../../core/framing/codec.ts";
import type { BodyPlace } from "../../core/session/outgoing.ts";
import { textPlace } from "./format.ts";

const FORMAT: MessageFormat<object, unknown> = json();
const ROUNDING: MessageFormat<object, unknown> = json({ inexact: "round" });

const LEAST: RemoteError = new RemoteError("INTERNAL");

/** In how many forms an error can be told, each shorter than the one before: data that cannot be sent costs no code. */
export const ERROR_FORMS = 4;

/**
 * Where the body of an error stands, until the next one is encoded. Form 0 is the whole error, 1 has no data, 2 has the code
 * only, and 3, which can always be sent, says `INTERNAL`.
 *
 * @throws UsageError `FRAME_INVALID`, `FRAME_TOO_LONG`: its data cannot be sent. What a getter of the error throws.
 */
export function errorBody(error: RemoteError, form: number): BodyPlace {
  let told = form === 0 ? error : LEAST;
  if (form === 1) told = new RemoteError(error.code, error.message);
  if (form === 2) told = new RemoteError(error.code);
  return textPlace(FORMAT.encode(remoteErrorFields(told)) as string);
}

/** The error of a body; `INTERNAL` when it makes no sense. Data with a number that would be another one here costs no code. */
export function readErrorBody(bytes: Buffer, start: number, end: number): RemoteError {
  const fields = FORMAT.tryDecode?.(bytes, start, end);
  if (!(fields instanceof InvalidContent)) return remoteErrorOf(fields);
  const rounded = ROUNDING.tryDecode?.(bytes, start, end);
  return remoteErrorOf(rounded instanceof InvalidContent ? undefined : { ...(rounded as object), data: undefined });
}

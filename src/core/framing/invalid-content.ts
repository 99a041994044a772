/** What is wrong with the content of a message, without the cost of an error. */

/**
 * What {@link MessageFormat.tryDecode} answers for bytes that are no message of the format. It is no `Error`: that has a
 * stack, which costs more than most messages, and whoever sends nonsense must not get more work out of it than whoever
 * sends messages.
 */
export class InvalidContent {
  /** `FRAME_INVALID`; `FRAME_TOO_LONG` for a message of more than what the format takes. */
  readonly code: "FRAME_INVALID" | "FRAME_TOO_LONG";
  /** What is wrong, as a part of a sentence. */
  readonly detail: string;
  /** What threw, where something did. */
  readonly cause: unknown;

  constructor(detail: string, code: "FRAME_INVALID" | "FRAME_TOO_LONG" = "FRAME_INVALID", cause?: unknown) {
    this.detail = detail;
    this.code = code;
    this.cause = cause;
  }
}

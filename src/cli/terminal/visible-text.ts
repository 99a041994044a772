/** Text that a peer may have written, for a terminal. */

/** Takes the control characters out, so that nothing in it gives orders to a terminal. */
export function visibleText(text: string): string {
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, "\ufffd");
}

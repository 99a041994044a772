/** Text that a peer may have written, for a terminal. */

/** Takes the control characters out, so that nothing in it gives orders to a terminal. */
export function visibleText(text: string): string {
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, "\ufffd");
}

/** `1 byte`, `2 bytes`, `0 replies`. */
export function quantity(number: number, one: string, many: string = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

const LF = 0x0a;

/** The message on a line of its own: with a line end, if it has none. */
export function asLine(message: Buffer): Buffer {
  return message.at(-1) === LF ? message : Buffer.concat([message, Buffer.of(LF)]);
}

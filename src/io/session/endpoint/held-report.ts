/** When the owner of a session is told that the memory it holds has changed. */

/** A change is news when it is so large, ... */
const REPORT_BYTES = 1024;
/** ... and so large a part of what was told before: most changes of a busy session are not. */
const REPORT_PART = 8;

/** Whether the owner, who was told of `toldBytes`, must be told of `heldBytes`. */
export function isNews(heldBytes: number, toldBytes: number): boolean {
  const change = Math.abs(heldBytes - toldBytes);
  return change >= REPORT_BYTES && change * REPORT_PART >= toldBytes;
}

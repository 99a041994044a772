/** What MessagePack carries beside plain values: every number, bytes and dates. */

import { FINE, type FormatKinds } from "./plain-value.ts";

/** The kinds of MessagePack. A subclass of `Date` would arrive as a `Date`; any `Uint8Array` is bytes. */
export const MESSAGEPACK_KINDS: FormatKinds = {
  allNumbers: true,
  problemOf(value) {
    if (value instanceof Uint8Array && ArrayBuffer.isView(value)) return FINE;
    if (!isDate(value)) return undefined;
    return Number.isNaN(value.getTime()) ? "is a date that is not valid" : FINE;
  },
};

/** Whether it is a `Date`, and not of a class derived from it: between it and `Object` is one prototype. */
function isDate(value: object): value is Date {
  if (Object.prototype.toString.call(value) !== "[object Date]") return false;
  const prototype = Object.getPrototypeOf(value) as object | null;
  return prototype !== null && Object.getPrototypeOf(prototype) === Object.prototype;
}

/** What the options of a codec must look like before anything is made of them. */

import { codecOptionInvalid } from "./frame-error.ts";

/**
 * The options, unless they are no object, or one of `functions` is given and is no function: then `OPTION_INVALID`. Found
 * here, it is an error of the call that makes the codec, and not one in the middle of a stream.
 */
export function checkedOptions<T extends object>(codec: string, options: T, ...functions: readonly (keyof T)[]): T {
  if (typeof options !== "object" || (options as T | null) === null) {
    throw codecOptionInvalid(codec, "options must be an object");
  }
  for (const name of functions) {
    const value: unknown = options[name];
    if (value === undefined || typeof value === "function") continue;
    throw codecOptionInvalid(codec, `${String(name)} must be a function`);
  }
  return options;
}

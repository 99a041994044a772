/** What a program without types may pass. */

import fc from "fast-check";

/** A list that is not full. */
export const holes: unknown[] = ["x"];
holes[3] = "y";

/** Anything that a program without types may pass. */
export const anything: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    undefined,
    null,
    true,
    false,
    "",
    " ",
    "x",
    "\0",
    "h2",
    "*",
    [],
    [""],
    ["x", ""],
    holes,
    {},
    [[]],
  ),
  fc.constantFrom<unknown>(
    0,
    -0,
    0.5,
    1,
    -1,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    -Infinity,
    2 ** 31,
    2 ** 53,
    1e300,
    5n,
  ),
  fc.constantFrom<unknown>(
    Symbol("x"),
    () => undefined,
    new Date(0),
    /x/,
    new Map(),
    Object.create(null),
    new Uint8Array(0),
  ),
  fc.constantFrom<unknown>(Buffer.from("x"), new AbortController().signal, AbortSignal.abort("enough"), ["SIGKILL"]),
  fc.string(),
  fc.double(),
  fc.array(fc.string(), { maxLength: 3 }),
  fc.dictionary(fc.string(), fc.anything(), { maxKeys: 2 }),
);

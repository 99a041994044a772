/**
 * The parameters after the `?` of an address. A name stands once; `+` is a plus sign, not a space.
 */
import { type AddressParams, NO_PARAMS } from "./parts.ts";
import { type Fail, quoted } from "./problem.ts";

/** Reads the text after the `?`; undefined when the address has none. */
export function parseParams(query: string | undefined, fail: Fail): AddressParams {
  if (query === undefined) return NO_PARAMS;
  const entries = query.split("&").map((pair): [string, string] => {
    const equals = pair.indexOf("=");
    if (equals === -1) return [decoded(pair, fail), ""];
    return [decoded(pair.slice(0, equals), fail), decoded(pair.slice(equals + 1), fail)];
  });
  return frozen(entries, fail);
}

/** Checks the parameters of an address that was given as an object. */
export function checkParams(params: AddressParams | undefined, fail: Fail): AddressParams {
  if (params === undefined || params === NO_PARAMS) return NO_PARAMS;
  if (typeof params !== "object" || params === null) throw fail("parameter", "list must be an object of texts");
  return frozen(Object.entries(params), fail);
}

/** The text from the `?` on; "" when there are no parameters. */
export function formatParams(params: AddressParams): string {
  if (params === NO_PARAMS) return "";
  const pairs = Object.entries(params).map(
    ([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`,
  );
  return `?${pairs.join("&")}`;
}

/** Sorted by name, so that the same parameters always give the same text. */
function frozen(entries: (readonly [string, unknown])[], fail: Fail): AddressParams {
  const sorted: [string, string][] = [];
  for (const [name, value] of entries) {
    if (typeof value !== "string") throw fail("parameter", `${quoted(name)} must be a text`);
    if (name === "") throw fail("parameter", "has no name; write ?name=value");
    if (/\p{Surrogate}/u.test(name + value)) throw fail("parameter", `${quoted(name)} is not valid Unicode`);
    sorted.push([name, value]);
  }
  if (sorted.length === 0) return NO_PARAMS;
  sorted.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const twice = sorted.find(([name], index) => name === sorted[index + 1]?.[0]);
  if (twice !== undefined) throw fail("parameter", `${quoted(twice[0])} is given twice`);
  return Object.freeze(Object.fromEntries(sorted));
}

function decoded(text: string, fail: Fail): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw fail("parameter", `${quoted(text)} has a wrong percent-encoding; write "%" as %25`);
  }
}

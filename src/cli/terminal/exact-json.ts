/** JSON that a person or a file gives, as the value that it is and no other. */

/** Strings, numbers and what is between them, in text that is known to be JSON. */
const TOKENS = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|[{}[\]:]/g;
const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;
const LONGEST_SHOWN = 40;

/** What JSON cannot be turned into a value without being changed. */
export class InexactJson extends Error {
  override readonly name: string = "InexactJson";
}

/**
 * The value of JSON text.
 *
 * @throws SyntaxError it is no JSON. InexactJson a number would be another one in JavaScript, or an object has two members
 * with one name, of which one would be lost.
 */
export function parseExactly(text: string): unknown {
  const value: unknown = JSON.parse(text);
  const problem = problemOf(text);
  if (problem !== undefined) throw new InexactJson(problem);
  return value;
}

function problemOf(text: string): string | undefined {
  /** The keys of each object around the place of now; undefined for an array. */
  const around: (Set<string> | undefined)[] = [];
  let last = "";
  for (const [token] of text.matchAll(TOKENS)) {
    if (token === "{" || token === "[") around.push(token === "{" ? new Set() : undefined);
    else if (token === "}" || token === "]") around.pop();
    else if (token === ":") {
      const keys = around.at(-1);
      const key = JSON.parse(last) as string;
      if (keys?.has(key) === true) return `there are two members ${shown(last)}, and only one can be sent`;
      keys?.add(key);
    } else if (!token.startsWith('"') && !survives(token)) {
      return `the number ${shown(token)} would become ${numberText(Number(token))}; write it as a text, in quotes`;
    }
    last = token;
  }
  return undefined;
}

/** A number as JSON, and as a person reads it. */
export function numberText(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

/** Whether a number has the same decimal digits when it has been a number of JavaScript. */
function survives(token: string): boolean {
  return decimal(token) === decimal(numberText(Number(token)));
}

/** One text for each number, however it is written: `1.50e1` and `15` are the same. Undefined for an infinite one. */
function decimal(token: string): string | undefined {
  const [, sign, whole = "", fraction = "", exponent = "0"] = NUMBER.exec(token) ?? [];
  if (sign === undefined) return undefined;
  const digits = `${whole}${fraction}`.replace(/^0+/, "");
  const significant = digits.replace(/0+$/, "");
  const power = Number(exponent) - fraction.length + digits.length - significant.length;
  return significant === "" ? `${sign}0` : `${sign}${significant}e${power}`;
}

function shown(token: string): string {
  return token.length > LONGEST_SHOWN ? `${token.slice(0, LONGEST_SHOWN)}...` : token;
}

/**
 * Host names: letters, digits, hyphens and underscores in labels (RFC 1123 section 2.1; the underscore as in RFC 2782),
 * lower-cased, with names in other scripts turned into ASCII (UTS 46).
 */
import { type Fail, quoted } from "./problem.ts";

/** RFC 1035 section 2.3.4, in characters: a name on the wire has 255 bytes, two of which are not text. */
const MAX_NAME_LENGTH = 253;

/** RFC 1035 section 2.3.4, in characters. */
const MAX_LABEL_LENGTH = 63;

const NUMERIC_LABEL = /^(?:[0-9]+|0x[0-9a-f]*)$/;

/** A host name in lower case ASCII. One trailing dot (an absolute name) is kept. */
export function hostName(text: string, fail: Fail): string {
  const name = /^\p{ASCII}*$/u.test(text) ? text.toLowerCase() : toAscii(text, fail);
  const labels = (name.endsWith(".") ? name.slice(0, -1) : name).split(".");
  for (const label of labels) checkLabel(label, text, fail);
  if (labels.join(".").length > MAX_NAME_LENGTH) {
    throw fail("host", `has more than ${MAX_NAME_LENGTH} characters`);
  }
  // A name that ends in a number is read as an IPv4 address by some programs and as a name by others.
  if (NUMERIC_LABEL.test(labels.at(-1) ?? "")) {
    throw fail(
      "host",
      `${quoted(text)} is not an IPv4 address; write four decimal numbers from 0 to 255 without leading zeros`,
    );
  }
  return name;
}

function checkLabel(label: string, text: string, fail: Fail): void {
  if (label === "") throw fail("host", `${quoted(text)} has an empty label; remove the surplus dot`);
  const wrong = /[^a-z0-9_-]/u.exec(label);
  if (wrong !== null) throw fail("host", `${quoted(text)} has the character ${quoted(wrong[0])}`);
  if (label.length > MAX_LABEL_LENGTH) {
    throw fail("host", `has a label of more than ${MAX_LABEL_LENGTH} characters`);
  }
  if (label.startsWith("-") || label.endsWith("-")) {
    throw fail("host", `${quoted(text)} has a label that begins or ends with a hyphen`);
  }
}

/** The global `URL` is the only converter that needs no import; it sees nothing but letters, digits and dots. */
function toAscii(text: string, fail: Fail): string {
  const wrong = /[^A-Za-z0-9._\-\u0080-\u{10ffff}]/u.exec(text);
  if (wrong !== null) throw fail("host", `${quoted(text)} has the character ${quoted(wrong[0])}`);
  try {
    return new URL(`http://${text}`).hostname;
  } catch {
    throw fail("host", `${quoted(text)} cannot be written in ASCII (IDNA); check the spelling`);
  }
}

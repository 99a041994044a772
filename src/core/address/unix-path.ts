/**
 * Paths of Unix sockets (unix(7)): files, and on Linux names in the abstract namespace, which begin with a zero byte in
 * memory and with "@" in text.
 */
import { type Fail, percentDecoded } from "./problem.ts";

/** `sun_path` has 108 bytes; a file path also needs its terminating zero, an abstract name its leading one. */
const MAX_UNIX_PATH_BYTES = 107;

/** Characters that stand for themselves in the text of a path: RFC 3986 `pchar` and the slash. */
const NEEDS_ENCODING = /[^A-Za-z0-9\-._~!$&'()*+,;=:@/]+/gu;

/** Reads what stands after `unix:`. */
export function parseUnixUrl(rest: string, fail: Fail): string {
  if (rest.startsWith("//") && rest[2] !== "/") {
    throw fail("host", "is not allowed in a Unix address; write unix:relative.sock or unix:///absolute.sock");
  }
  const text = rest.startsWith("//") ? rest.slice(2) : rest;
  if (/[?#]/.test(text)) throw fail("path", `has "?" or "#"; write %3F or %23, a Unix address has no parameters`);
  return checkUnixPath(
    text.startsWith("@")
      ? `\0${percentDecoded("path", text.slice(1), fail)}`
      : noZero(percentDecoded("path", text, fail), fail),
    fail,
  );
}

/** Reads a path that is given without `unix:`: nothing in it is encoded; a leading "@" is the abstract namespace. */
export function parsePlainPath(text: string, fail: Fail): string {
  return checkUnixPath(text.startsWith("@") ? `\0${text.slice(1)}` : noZero(text, fail), fail);
}

/** Checks a path as it is in memory: "\0" in front marks the abstract namespace. */
export function checkUnixPath(path: string, fail: Fail): string {
  if (typeof path !== "string") throw fail("path", "must be a text");
  const abstract = path.startsWith("\0");
  const name = abstract ? path.slice(1) : path;
  if (name === "") throw fail("path", abstract ? "has no name after the @" : "is empty; write unix:/run/name.sock");
  if (/\p{Surrogate}/u.test(name)) throw fail("path", "is not valid Unicode");
  noZero(name, fail);
  const lengthBytes = Buffer.byteLength(name, "utf8");
  if (lengthBytes > MAX_UNIX_PATH_BYTES) {
    const most = `at most ${MAX_UNIX_PATH_BYTES} (sun_path, unix(7))`;
    throw fail("path", `has ${lengthBytes} bytes; a Unix socket takes ${most}`);
  }
  return path;
}

/** The text of a path as it stands after `unix:`. */
export function formatUnixPath(path: string): string {
  if (path.startsWith("\0")) return `@${encode(path.slice(1))}`;
  if (path.startsWith("@")) return `%40${encode(path.slice(1))}`;
  // An absolute path that begins with two slashes would read as a host.
  return path.startsWith("//") ? `//${encode(path)}` : encode(path);
}

function encode(path: string): string {
  return path.replace(NEEDS_ENCODING, encodeURIComponent);
}

function noZero(path: string, fail: Fail): string {
  if (path.includes("\0")) throw fail("path", "has a zero byte");
  return path;
}

/** A page of this package in a browser: its document, and the one script and the one style sheet that it has. */

import { readFileSync } from "node:fs";
import { sendJson, sendText } from "./answer.ts";
import type { Question, ServerResponse } from "./server.ts";

/** Where the build puts what `src/page` becomes (tools/pages.mjs). */
const FOLDER = new URL("../page/", import.meta.url);

/** A page may load and ask only what its own server has. Pictures come along in its style sheet. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** A language that pages have. */
type Language = "en" | "es";

/**
 * Answers `GET /` with the document of a page, `GET /NAME.js` and `GET /NAME.css` with its parts. Answers whether it was asked for
 * one of them.
 *
 * @param name - The folder of the page in `src/page`.
 */
export function answerPage(
  name: string,
  { method, path, query, headers }: Question,
  response: ServerResponse,
): boolean {
  if (method !== "GET") return false;
  const token = query.get("token") ?? "";
  const types: Readonly<Record<string, string>> = {
    [`/${name}.js`]: "text/javascript; charset=utf-8",
    [`/${name}.css`]: "text/css; charset=utf-8",
  };
  const type = types[path];
  if (path === "/") {
    const document = documentOf(name, languageOf(query.get("lang") ?? headers["accept-language"] ?? ""), token);
    sendText(response, 200, "text/html; charset=utf-8", document, { "content-security-policy": POLICY });
    return true;
  }
  if (type === undefined) return false;
  try {
    sendText(response, 200, type, readFileSync(new URL(path.slice(1), FOLDER)));
  } catch (error) {
    sendJson(response, 500, { error: `a part of the page is missing: ${(error as Error).message}` });
  }
  return true;
}

/**
 * The language of the list that a browser sends (RFC 9110, section 12.5.4) which it likes best of those that pages have. English when
 * it names none.
 */
export function languageOf(accepted: string): Language {
  const wanted = accepted.split(",").map((one) => {
    const [range = "", ...parameters] = one
      .trim()
      .toLowerCase()
      .split(/\s*;\s*/);
    const quality = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2);
    return { name: range.split("-", 1)[0], quality: quality === undefined ? 1 : Number(quality) };
  });
  const best = wanted
    .filter(({ name, quality }) => (name === "en" || name === "es") && quality > 0)
    .toSorted((one, other) => other.quality - one.quality)[0];
  return best?.name === "es" ? "es" : "en";
}

/** The token has no character that means something in markup. */
function documentOf(name: string, language: Language, token: string): string {
  const asked = `?token=${encodeURIComponent(token)}`;
  return `<!doctype html>
<html lang="${language}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Zócalo</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${name}.css${asked}">
<div id="page"></div>
<script type="module" src="${name}.js${asked}"></script>
</html>
`;
}

/** Who may ask: one who knows the token, and no page of the web. */

import { timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

/** The header that has the token where it does not stand in the address. */
export const TOKEN_HEADER = "x-zocalo-token";

/** What guards one socket that is listened on. */
export interface Door {
  /** The names and port by which it may be asked for. A page of another site that has this machine's address has another name. */
  readonly hosts: readonly string[];
  /** Names stand in `hosts` without a port, and each port does: a tunnel to it has another. Default false. */
  readonly anyPort?: boolean | undefined;
  /** Undefined where the rights of the file say who may connect. */
  readonly token: string | undefined;
}

/** What says whether a request may be answered. */
export interface Asked {
  readonly headers: IncomingHttpHeaders;
  /** The token of the address; undefined where it may not stand there. */
  readonly token: string | undefined;
}

/** Why a request is not answered; undefined when it is. */
export function refusalOf(
  { hosts, anyPort = false, token }: Door,
  { headers, token: given }: Asked,
): string | undefined {
  const { host, origin } = headers;
  const name = anyPort ? host?.replace(/:\d*$/, "") : host;
  if (name === undefined || !hosts.includes(name)) return "the Host of the request is not this machine";
  if (origin !== undefined && origin !== `http://${host}`) {
    return "the request comes from a page of another origin";
  }
  // Browsers say so where they send no Origin.
  const site = headers["sec-fetch-site"];
  if (site !== undefined && site !== "same-origin" && site !== "none")
    return "the request comes from a page of another site";
  if (token === undefined || sameToken(given ?? headerToken(headers), token)) return undefined;
  return "the token is missing or wrong; use the address that the program has printed";
}

function headerToken(headers: IncomingHttpHeaders): string {
  const given = headers[TOKEN_HEADER];
  return typeof given === "string" ? given : "";
}

/** Takes as long for each wrong token of the right length. */
function sameToken(given: string, token: string): boolean {
  const [left, right] = [Buffer.from(given), Buffer.from(token)];
  return left.length === right.length && timingSafeEqual(left, right);
}

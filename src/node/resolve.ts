/** Host names to addresses, as the operating system answers them (getaddrinfo: hosts file, DNS, mDNS). */

import dns from "node:dns";
import { systemError } from "./errno.ts";

/** All addresses of one family. */
export function resolve(host: string, family: 4 | 6): Promise<readonly string[]> {
  return new Promise((resolved, reject) => {
    dns.lookup(host, { family, all: true, verbatim: true }, (error, found) => {
      if (error === null) resolved(found.map((entry) => entry.address));
      else reject(systemError(error, { op: "resolve", remote: host }));
    });
  });
}

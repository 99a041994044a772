/** A certificate for one run, so that TLS can be tried without an authority. */

import type * as library from "selfsigned";
import { type Address, type TlsIdentity, UsageError } from "../../index.ts";

/** How to get the library; it is an optional peer dependency, and everything else works without it. */
export const HOW_TO_INSTALL = "npm install selfsigned (with -g beside a global zocalo)";

const DAY_MS = 86_400_000;

/** Makes a key and a certificate for the host of the address and for the names of this machine to itself. */
export async function selfSigned(address: Address): Promise<TlsIdentity> {
  const { generate } = await loadLibrary(address);
  const { cert, private: key } = await generate([{ name: "commonName", value: address.host }], {
    keyType: "ec",
    algorithm: "sha256",
    notBeforeDate: new Date(Date.now() - DAY_MS),
    notAfterDate: new Date(Date.now() + DAY_MS),
    extensions: [
      { name: "basicConstraints", cA: false },
      { name: "keyUsage", digitalSignature: true },
      { name: "extKeyUsage", serverAuth: true },
      {
        name: "subjectAltName",
        altNames: [
          { type: 2, value: "localhost" },
          { type: 7, ip: "127.0.0.1" },
          { type: 7, ip: "::1" },
          address.isIp ? { type: 7, ip: address.host } : { type: 2, value: address.host },
        ],
      },
    ],
  });
  return { cert, key };
}

/** Whether certificates can be made here. */
export async function canSelfSign(): Promise<boolean> {
  return await import("selfsigned").then(
    () => true,
    () => false,
  );
}

async function loadLibrary(address: Address): Promise<Pick<typeof library, "generate">> {
  try {
    return await import("selfsigned");
  } catch (cause) {
    const detail = `--self-signed needs a package: ${HOW_TO_INSTALL}; or give --cert and --key`;
    throw new UsageError("UNSUPPORTED", { op: "listen", local: String(address), detail, cause });
  }
}

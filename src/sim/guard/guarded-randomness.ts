/** What a simulated program must not touch because chance is in it: the list of the guard, by module. */

import { builtin } from "./builtin.ts";
import { type GuardedCall, type GuardOptions, guard, namesOf, prototypeOf, type Use } from "./guarded-call.ts";

/** Everything that draws, and all of cryptography that gives another result each time. */
export function randomCalls(): GuardedCall[] {
  const crypto = builtin("crypto");
  const fs = builtin("fs");
  const draws = /^(?:random|generate(?:Key|Prime)|encapsulate)|^(?:pseudoRandomBytes|prng|rng)$/;
  return [
    ...guard("SIM_CLOCK_LEAK", "Math", Math, ["random"]),
    ...guard("SIM_CLOCK_LEAK", "crypto", crypto, namesOf(crypto, draws)),
    ...guard("SIM_CLOCK_LEAK", "crypto", crypto["webcrypto"], ["getRandomValues", "randomUUID", "randomUUIDv7"]),
    ...["ECDH", "DiffieHellman", "DiffieHellmanGroup"].flatMap((name) =>
      guard("SIM_CLOCK_LEAK", `crypto.${name}`, prototypeOf(crypto[name]), ["generateKeys"]),
    ),
    // A length asks for a new prime number; a prime number is one that the program has.
    ...guard("SIM_CLOCK_LEAK", "crypto", crypto, ["createDiffieHellman", "DiffieHellman"], {
      harmless: ({ args }) => typeof args[0] !== "number",
    }),
    ...signatureCalls(crypto),
    ...subtleCalls(crypto["webcrypto"] as { readonly subtle: object }),
    ...guard("SIM_CLOCK_LEAK", "URL", URL, ["createObjectURL"]),
    ...guard("SIM_CLOCK_LEAK", "fs", fs, namesOf(fs, /^mkdtemp/)),
    ...guard("SIM_CLOCK_LEAK", "fs.promises", fs["promises"], namesOf(fs["promises"] as object, /^mkdtemp/), {
      rejects: true,
    }),
  ];
}

function signatureCalls(crypto: Record<string, unknown>): GuardedCall[] {
  const { createPrivateKey } = crypto as { createPrivateKey: (key: unknown) => { readonly asymmetricKeyType: string } };
  const { constants } = crypto as { constants: Readonly<Record<string, number>> };
  const { RSA_PKCS1_PADDING: simple, RSA_NO_PADDING: bare } = constants;
  const typeOf = (key: unknown): string => {
    const inner = (key as { readonly key?: unknown }).key ?? key;
    const known = (inner as { readonly asymmetricKeyType?: string }).asymmetricKeyType;
    return known ?? createPrivateKey(key).asymmetricKeyType;
  };
  // RFC 8017 section 8.2 and RFC 8032: the others have a random part.
  const signsAlike = (key: unknown): boolean => {
    try {
      const { padding = simple } = key as { readonly padding?: number };
      const type = typeOf(key);
      return type.startsWith("ed") || (type === "rsa" && padding === simple);
    } catch {
      // It is no key: the call says so.
      return true;
    }
  };
  const inTheRaw = ({ args }: Use): boolean => (args[0] as { readonly padding?: number } | undefined)?.padding === bare;
  return [
    ...guard("SIM_CLOCK_LEAK", "crypto", crypto, ["sign"], { harmless: ({ args }) => signsAlike(args[2]) }),
    ...guard("SIM_CLOCK_LEAK", "crypto.Sign", prototypeOf(crypto["Sign"]), ["sign"], {
      harmless: ({ args }) => signsAlike(args[0]),
    }),
    ...guard("SIM_CLOCK_LEAK", "crypto", crypto, ["publicEncrypt"], { harmless: inTheRaw }),
  ];
}

function subtleCalls({ subtle }: { readonly subtle: object }): GuardedCall[] {
  const nameOf = (algorithm: unknown): string =>
    String((algorithm as { readonly name?: unknown } | null | undefined)?.name ?? algorithm);
  const of = (place: number, fits: (name: string) => boolean): GuardOptions => ({
    rejects: true,
    harmless: ({ args }) => fits(nameOf(args[place])),
  });
  const signsAlike = (name: string): boolean => /^(?:hmac|kmac\d+|rsassa-pkcs1-v1_5|ed\d+)$/i.test(name);
  const encryptsAlike = (name: string): boolean => !/^rsa-oaep$/i.test(name);
  const label = "crypto.subtle";
  return [
    ...guard("SIM_CLOCK_LEAK", label, subtle, ["generateKey", "encapsulateKey", "encapsulateBits"], { rejects: true }),
    ...guard("SIM_CLOCK_LEAK", label, subtle, ["sign"], of(0, signsAlike)),
    ...guard("SIM_CLOCK_LEAK", label, subtle, ["encrypt"], of(0, encryptsAlike)),
    ...guard("SIM_CLOCK_LEAK", label, subtle, ["wrapKey"], of(3, encryptsAlike)),
  ];
}

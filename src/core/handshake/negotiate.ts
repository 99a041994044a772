/** What the two sides agree on, or why they cannot. */

import type { Contract, Methods } from "../contract/contract.ts";
import { compareVersions, describeRange, inRange, type VersionRange } from "../contract/version.ts";
import type { ErrorCode } from "../errors.ts";
import type { Hello, Refusal, Welcome } from "./hello.ts";
import type { HandshakeLimits } from "./limits.ts";

/** The feature of peers that can go on with a session in another process of the server. */
export const MOVES_FEATURE = "moves";

/** What a side brings into the handshake. */
export interface Capabilities {
  readonly contract: Contract;
  /** The codecs that it has, the favourite first. */
  readonly codecs: readonly string[];
  /** Optional parts of the protocol that it knows. */
  readonly features: readonly string[];
  /** What it is ready to receive. */
  readonly limits: HandshakeLimits;
}

/** What both sides agreed on. A session can only be continued under the same agreement. */
export interface Agreement {
  /** The peer's version of the contract. */
  readonly peerVersion: string;
  /**
   * What the peer offers, in the order in which messages number it. A name that this side does not know is empty, since
   * nothing is ever sent to it: a session keeps none of the 64 KiB of names that a stranger may have made up.
   */
  readonly peerOffers: readonly string[];
  readonly codec: string;
  readonly features: readonly string[];
  /** What this side is ready to receive. */
  readonly limits: HandshakeLimits;
  /** What the peer is ready to receive. */
  readonly peerLimits: HandshakeLimits;
}

/** The server's side: what it agrees on with a client, or the refusal to send. */
export function agreeWithClient(
  own: Capabilities,
  hello: Hello,
): { readonly agreement: Agreement } | { readonly refusal: Refusal } {
  const { name, version, accepts } = own.contract;
  if (hello.contract !== name) {
    const message = `the server offers the contract "${name}", not ${JSON.stringify(hello.contract)}`;
    return refuse("CONTRACT_UNKNOWN", message);
  }
  const mismatch = versionMismatch({ version, accepts }, hello);
  if (mismatch !== undefined) return refuse("VERSION_UNSUPPORTED", mismatch);
  const codec = hello.codecs.find((one) => own.codecs.includes(one));
  if (codec === undefined) {
    return refuse("CODEC_UNSUPPORTED", `the server has the codecs ${own.codecs.join(", ")}; offer one of them`);
  }
  const features = hello.features.filter((one) => own.features.includes(one));
  return agreed(own, hello, own.contract.client, codec, features);
}

/** The client's side: what a welcome says, or why it cannot be. */
export function agreeWithServer(
  own: Capabilities,
  welcome: Welcome,
): { readonly agreement: Agreement } | { readonly code: ErrorCode; readonly problem: string } {
  const { accepts } = own.contract;
  if (!inRange(welcome.version, accepts)) {
    const problem = `the client speaks ${describeRange(accepts)}, and the server ${welcome.version}`;
    return { code: "VERSION_UNSUPPORTED", problem };
  }
  if (!own.codecs.includes(welcome.codec)) {
    return { code: "HANDSHAKE_INVALID", problem: "the server chose a codec that the client did not offer" };
  }
  if (!welcome.features.every((one) => own.features.includes(one))) {
    return { code: "HANDSHAKE_INVALID", problem: "the server chose a feature that the client did not offer" };
  }
  return agreed(own, welcome, own.contract.server, welcome.codec, welcome.features);
}

function agreed(
  own: Capabilities,
  peer: Hello | Welcome,
  peerMethods: Methods,
  codec: string,
  features: readonly string[],
): { readonly agreement: Agreement } {
  const { version: peerVersion, limits: peerLimits } = peer;
  const peerOffers = knownOffers(peer.offers, peerMethods);
  return { agreement: { peerVersion, peerOffers, codec, features, limits: own.limits, peerLimits } };
}

/** What a peer offers, up to the last name that this side knows, and without those that it does not know. */
function knownOffers(offers: readonly string[], methods: Methods): readonly string[] {
  const last = offers.findLastIndex((name) => Object.hasOwn(methods, name));
  return offers.slice(0, last + 1).map((name) => (Object.hasOwn(methods, name) ? name : ""));
}

/** Whether two agreements are the same, so that a session may go on. */
export function sameAgreement(a: Agreement, b: Agreement): boolean {
  return JSON.stringify(ordered(a)) === JSON.stringify(ordered(b));
}

function ordered(agreement: Agreement): readonly unknown[] {
  const { peerVersion, peerOffers, codec, features, limits, peerLimits } = agreement;
  const values = (of: HandshakeLimits): readonly unknown[] => Object.entries(of).sort(([a], [b]) => (a < b ? -1 : 1));
  return [peerVersion, peerOffers, codec, features, values(limits), values(peerLimits)];
}

/** Says what would be accepted; undefined when each side accepts the other. */
function versionMismatch(
  server: { readonly version: string; readonly accepts: VersionRange },
  client: { readonly version: string; readonly accepts: VersionRange },
): string | undefined {
  if (!inRange(client.version, server.accepts)) {
    const older = compareVersions(client.version, server.accepts.from) < 0;
    const remedy = older ? "upgrade the client" : "upgrade the server, or use an older client";
    return `the server speaks ${describeRange(server.accepts)}, ${remedy} (it speaks ${client.version})`;
  }
  if (!inRange(server.version, client.accepts)) {
    const older = compareVersions(server.version, client.accepts.from) < 0;
    const remedy = older ? "use an older client" : "upgrade the client";
    return `the server speaks ${server.version}, which the client does not accept; ${remedy}`;
  }
  return undefined;
}

function refuse(code: ErrorCode, message: string): { readonly refusal: Refusal } {
  return { refusal: { code, message } };
}

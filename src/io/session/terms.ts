/** What all sessions under one agreement have in common. */

import { ProtocolError } from "../../core/errors.ts";
import { type Agreement, MOVES_FEATURE, sameAgreement } from "../../core/handshake/negotiate.ts";
import type { ReplayBounds, SessionSettings } from "../../core/session/settings.ts";
import type { SessionCodec } from "../contract/format.ts";
import { encodeMetadata, METADATA_FEATURE, PLACE_BITS, type RemoteEventOptions } from "../contract/metadata.ts";
import { type CodecPlan, type ContractPlan, type MethodPlan, peerPlaces } from "../contract/plan.ts";

/** Of one name in a list of offers. */
const OFFER_BYTES = 8;

/** What a server or a client brings. */
interface OwnTerms {
  readonly plan: ContractPlan;
  readonly replay: ReplayBounds;
  /** Whether there is a journal: it keeps the sessions of peers that can go on in another process. */
  readonly journaled: boolean;
}

/** What follows from an agreement. */
export class SessionTerms {
  readonly agreement: Agreement;
  readonly plan: CodecPlan;
  /** What the machine of the session is made of. */
  readonly machine: SessionSettings;
  /** Whether both sides know metadata. */
  readonly hasMetadata: boolean;
  readonly #places: readonly number[] | undefined;

  constructor(own: OwnTerms, agreement: Agreement, keptMs: number) {
    const { limits, peerLimits, codec, peerOffers, features } = agreement;
    const moves = features.includes(MOVES_FEATURE);
    const journaled = own.journaled && moves;
    this.agreement = agreement;
    this.plan = own.plan.of(codec as SessionCodec);
    this.machine = { role: own.plan.role, limits, peerLimits, replay: own.replay, keptMs, moves, journaled };
    this.#places = peerPlaces(this.plan.peer.names, peerOffers);
    this.hasMetadata = features.includes(METADATA_FEATURE);
  }

  /** Memory of a list of what the peer offers that is not that of all: a stranger may offer 1,000 names. */
  get heldBytes(): number {
    const { peerOffers } = this.agreement;
    return peerOffers === this.plan.peer.names ? 0 : peerOffers.length * OFFER_BYTES;
  }

  /** Whether the peer offers a method. */
  knows(method: MethodPlan): boolean {
    return this.#places === undefined || (this.#places[method.place] as number) >= 0;
  }

  /** The place of a method in the peer's list. @throws ProtocolError `METHOD_UNKNOWN`. */
  placeOf(method: MethodPlan): number {
    const place = this.#places === undefined ? method.place : (this.#places[method.place] as number);
    if (place >= 0) return place;
    const detail = `the peer, version ${this.agreement.peerVersion}, does not offer "${method.name}"`;
    throw new ProtocolError("METHOD_UNKNOWN", { op: method.name, detail, outcome: "none" });
  }

  /** The method of the peer with this number, as messages have it; undefined where they have none. */
  nameOf(number: number): string | undefined {
    return this.agreement.peerOffers[number & PLACE_BITS];
  }

  /** The plan of the method with this number. */
  methodOf(number: number): MethodPlan | undefined {
    const name = this.nameOf(number);
    return this.plan.peer.methods.find((method) => method.name === name);
  }

  /** The bytes of metadata, where the peer knows what they are. @throws UsageError `OPTION_INVALID`. */
  metadataOf(method: MethodPlan, options: RemoteEventOptions | undefined): Buffer | undefined {
    const bytes = options === undefined ? undefined : encodeMetadata(method.name, options.metadata);
    return this.hasMetadata ? bytes : undefined;
  }
}

/** Hands out terms. Most clients agree on the same as the one before: their sessions share one object. */
export class AgreedTerms {
  #last: SessionTerms | undefined;

  /** The terms of an agreement. */
  of(own: OwnTerms, agreement: Agreement, keptMs: number): SessionTerms {
    const last = this.#last;
    if (last?.machine.keptMs === keptMs && sameAgreement(last.agreement, agreement)) return last;
    const terms = new SessionTerms(own, sharing(own, agreement), keptMs);
    this.#last = terms;
    return terms;
  }
}

/** The same agreement with the parts that are those of this side as one object: peers of two versions may take turns. */
function sharing(own: OwnTerms, agreement: Agreement): Agreement {
  const { names } = own.plan.of(agreement.codec as SessionCodec).peer;
  const { peerOffers, peerLimits, limits } = agreement;
  const sameNames = peerOffers.length === names.length && peerOffers.every((name, index) => name === names[index]);
  const sameLimits = Object.entries(limits).every(([name, value]) => peerLimits[name as keyof typeof limits] === value);
  return {
    ...agreement,
    peerOffers: sameNames ? names : peerOffers,
    peerLimits: sameLimits ? limits : peerLimits,
  };
}

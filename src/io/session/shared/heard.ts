/** One entry of the log, as the sessions of this server hear it. */

import { decodeSharedMessage, type SharedMessage } from "../../../core/journal/shared-message.ts";
import { sharedFrame } from "../../../core/session/shared-lane.ts";
import type { BodyPlace } from "../../../core/session/outgoing.ts";
import type { SessionCodec } from "../../contract/format.ts";
import type { ContractPlan, MethodPlan } from "../../contract/plan.ts";
import type { SharedEntry } from "../../journal/journal.ts";
import type { SessionTerms } from "../terms.ts";

/** The message in one codec; `body` is undefined where that cannot carry it. */
interface InCodec {
  readonly codec: string;
  readonly method: MethodPlan | undefined;
  readonly body: BodyPlace | undefined;
}

/** Decodes and encodes as often as there are codecs, and makes a frame for each number that clients have for the method. */
export class HeardEntry {
  readonly place: number;
  readonly topic: string;
  readonly #plan: ContractPlan;
  readonly #message: SharedMessage;
  readonly #except: ReadonlySet<string> | undefined;
  readonly #codecs: InCodec[] = [];
  readonly #frames: { readonly codec: string; readonly number: number; readonly frame: Buffer }[] = [];

  /** @throws ZocaloError `JOURNAL_RECORD_INVALID`. */
  constructor(plan: ContractPlan, { place, topic, body }: SharedEntry) {
    this.#message = decodeSharedMessage(place, body);
    const { except = [] } = this.#message;
    this.#except = except.length === 0 ? undefined : new Set(except);
    this.#plan = plan;
    this.place = place;
    this.topic = topic;
  }

  /** Whether a session is one that does not hear it. */
  isExcept(id: string): boolean {
    return this.#except?.has(id) === true;
  }

  /** The event in a codec; undefined where this version of the program does not know it, or the codec cannot carry it. */
  in(codec: string): { readonly method: MethodPlan; readonly body: BodyPlace } | undefined {
    let known = this.#codecs.find((each) => each.codec === codec);
    if (known === undefined) this.#codecs.push((known = this.#encoded(codec)));
    const { method, body } = known;
    return method === undefined || body === undefined ? undefined : { method, body };
  }

  /** The frame for a session; undefined where its client does not know the event, or takes none that is so long. */
  frameFor(terms: SessionTerms): Buffer | undefined {
    const { codec, peerLimits } = terms.agreement;
    const event = this.in(codec);
    if (event === undefined || !terms.knows(event.method)) return undefined;
    const number = terms.placeOf(event.method);
    let known = this.#frames.find((each) => each.codec === codec && each.number === number);
    if (known === undefined) {
      const { bytes, start, end } = event.body;
      this.#frames.push(
        (known = { codec, number, frame: sharedFrame(this.place, number, bytes.subarray(start, end)) }),
      );
    }
    return known.frame.length > peerLimits.maxMessageBytes ? undefined : known.frame;
  }

  #encoded(codec: string): InCodec {
    const { codec: own, method: name, body } = this.#message;
    const method = this.#eventIn(codec, name);
    if (codec === own) return { codec, method, body: { bytes: body, start: 0, end: body.length } };
    try {
      const read = this.#eventIn(own, name)?.request.reread(Buffer.from(body), 0, body.length);
      if (read === undefined) return { codec, method: undefined, body: undefined };
      const { bytes, start, end } = (method as MethodPlan).request.encode(read.value);
      // Where it stands is used again for the next value.
      return { codec, method, body: { bytes: bytes.slice(start, end), start: 0, end: end - start } };
    } catch {
      return { codec, method: undefined, body: undefined };
    }
  }

  #eventIn(codec: string, name: string): MethodPlan | undefined {
    const { methods } = this.#plan.of(codec as SessionCodec).peer;
    return methods.find((method) => method.name === name && method.kind === "event");
  }
}

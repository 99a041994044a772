/** The messages of datagrams, each decoded on its own. */

import type { Address } from "../../core/address/address.ts";
import { ProtocolError, UsageError } from "../../core/errors.ts";
import type { Codec, Decoder } from "../../core/framing/codec.ts";
import type { Datagram } from "../network/datagrams.ts";
import { publish } from "../operation/diagnostics.ts";
import type { ReceivedMessage } from "./framed-public.ts";

/** Decodes datagrams, each on its own. */
export class DatagramDecoder<Out> {
  /** Datagrams that did not hold exactly one message. */
  dropped = 0;
  readonly #codec: Codec<never, Out>;
  readonly #local: () => Address;
  #decoder: Decoder<Out>;
  #count = 0;
  #message: Out | undefined;
  readonly #keep: (message: Out) => void = (message) => {
    this.#count += 1;
    if (this.#count > 1) this.#decoder.stop();
    // A view of the datagram is as good as a copy; a view of the decoder's own room is not.
    else this.#message = this.#decoder.inPlace === true ? message : this.#decoder.own(message);
  };

  constructor(codec: Codec<never, Out>, local: () => Address) {
    this.#codec = codec;
    this.#local = local;
    this.#decoder = codec.createDecoder();
  }

  /**
   * The message of a datagram; undefined when it is dropped. A message that is a view lasts as long as the bytes of the
   * datagram.
   *
   * @throws UsageError the codec itself is wrong.
   */
  decode({ data, from }: Datagram): ReceivedMessage<Out> | undefined {
    this.#count = 0;
    try {
      this.#decoder.decode(data, 0, data.length, this.#keep);
      this.#decoder.end();
    } catch (error) {
      // What was left of it must not meet the next one, which is somebody else's.
      this.#decoder = this.#codec.createDecoder();
      this.#message = undefined;
      if (error instanceof UsageError) throw error;
      this.#drop(from, error);
      return undefined;
    }
    const message = this.#message as Out;
    this.#message = undefined;
    if (this.#count === 1) return { message, from };
    this.#drop(from);
    return undefined;
  }

  #drop(from: Address, cause?: unknown): void {
    this.dropped += 1;
    const held = this.#count;
    publish("error", () => {
      const local = this.#local().toString();
      const remote = from.toString();
      const name = this.#codec.name;
      const problem = held === 0 ? "no message" : "more than one message";
      const why = cause instanceof ProtocolError ? cause.detail : `${name}: the datagram holds ${problem}`;
      const code = cause instanceof ProtocolError ? cause.code : "FRAME_INVALID";
      const error = new ProtocolError(code, { op: "receive", local, remote, detail: `dropped: ${why}`, cause });
      return { kind: "datagram", local, remote, error };
    });
  }
}

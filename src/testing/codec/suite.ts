/** What every codec must do, whatever its format. The rules are those of `Codec` and `Decoder`. */

import { describe, it } from "node:test";
import { ANYTHING, type OptionRules, refuseUnknown } from "../../core/options/check-options.ts";
import type { Codec } from "../../core/framing/codec.ts";
import type { CodecCheck, CodecSuiteOptions } from "./check.ts";
import { errorChecks } from "./errors.ts";
import { flowChecks } from "./flow.ts";
import { linearChecks } from "./linear.ts";
import { messageChecks } from "./messages.ts";

const RULES: OptionRules = {
  messages: ANYTHING,
  sized: ANYTHING,
  vectors: ANYTHING,
  accepts: ANYTHING,
  refuses: ANYTHING,
  unsendable: ANYTHING,
  limited: ANYTHING,
  arrives: ANYTHING,
};

/** Everything that the suite checks. */
export const codecChecks: readonly CodecCheck[] = [...messageChecks, ...flowChecks, ...errorChecks, ...linearChecks];

/**
 * Puts a codec through everything that the contract promises: messages whole, byte by byte and cut at random; round trips;
 * vectors; stopping and handing back; truncation; garbage; limits; work that is linear, counted and not timed. Everything
 * random comes from seeds that are named when something fails. Registers a `describe` block with `node:test`; call it in
 * a test file.
 *
 * @param name - Names the block.
 * @param create - Makes the codec, with a limit of at least 64 KiB.
 *
 * @example
 * ```ts
 * import { lines } from "zocalo/framing";
 * import { codecSuite } from "zocalo/testing";
 * codecSuite("lines", () => lines({ maxLineBytes: 100_000 }), {
 *   messages: ["", "hola", "ñandú"],
 *   sized: (bytes) => "x".repeat(bytes),
 *   unsendable: [{ message: "two\nlines", code: "FRAME_INVALID" }],
 * });
 * ```
 */
export function codecSuite<In, Out = In>(
  name: string,
  create: () => Codec<In, Out>,
  options: CodecSuiteOptions<In, Out>,
): void {
  refuseUnknown({ op: "codecSuite" }, options, RULES);
  void describe(name, () => {
    for (const check of codecChecks) void it(check.title, () => check.run(create, options));
  });
}

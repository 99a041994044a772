import assert from "node:assert/strict";
import { test } from "node:test";
import type { LossReason } from "../../core/faults/link.ts";
import type { TcpFailure } from "../../sim/kernel/packet.ts";
import { SPANISH_WORDS } from "./sequence-words.ts";

/** What a trace may say; one that is new does not compile before it is here. */
const SAID: Readonly<Record<LossReason | TcpFailure, true>> = {
  loss: true,
  queue: true,
  corruption: true,
  partition: true,
  rule: true,
  frozen: true,
  "no host": true,
  martian: true,
  refused: true,
  reset: true,
  "timed out": true,
  "host unreachable": true,
  "network unreachable": true,
};

test("each reason why a packet is lost or refused has its Spanish words", () => {
  for (const words of Object.keys(SAID)) assert.ok(Object.hasOwn(SPANISH_WORDS, words), words);
});

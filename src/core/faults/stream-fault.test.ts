import assert from "node:assert/strict";
import { test } from "node:test";
import { checkOptions } from "../options/check-options.ts";
import { NO_STREAM_FAULTS, STREAM_FAULT_KINDS, STREAM_FAULT_RULES, withStreamFault } from "./stream-fault.ts";

const WAY = { from: "client", to: "server" } as const;

test("each kind refuses what it has not, what is missing, and what is no number of its own", () => {
  const wrong: Readonly<Record<string, readonly object[]>> = {
    slicing: [{}, { averageBytes: 0 }, { averageBytes: 1, variationBytes: -1 }, { averageBytes: 1, delayMs: "2" }],
    cut: [{}, { bytes: -1 }, { bytes: 1.5 }],
    linger: [{}, { delayMs: -1 }, { delayMs: 5, bytes: 1 }],
    timeout: [{ afterMs: -1 }, { afterMs: "soon" }],
  };
  for (const kind of STREAM_FAULT_KINDS) {
    for (const fields of wrong[kind] ?? []) {
      const fault = { kind, ...WAY, ...fields };
      const check = (): unknown => checkOptions({ op: "inflict" }, fault, STREAM_FAULT_RULES[kind]);
      assert.throws(check, { code: "OPTION_INVALID" }, JSON.stringify(fault));
    }
  }
});

test("of several faults delays add up, the earlier cut and the smaller bandwidth count, else what comes later", () => {
  let conditions = withStreamFault(NO_STREAM_FAULTS, { kind: "cut", ...WAY, bytes: 50 });
  conditions = withStreamFault(conditions, { kind: "cut", ...WAY, bytes: 70 });
  conditions = withStreamFault(conditions, { kind: "linger", ...WAY, delayMs: 1 });
  conditions = withStreamFault(conditions, { kind: "linger", ...WAY, delayMs: 2 });
  conditions = withStreamFault(conditions, { kind: "latency", ...WAY, latency: 3 });
  conditions = withStreamFault(conditions, { kind: "latency", ...WAY, latency: 4 });
  conditions = withStreamFault(conditions, { kind: "bandwidth", ...WAY, bitsPerSecond: 9 });
  conditions = withStreamFault(conditions, { kind: "bandwidth", ...WAY, bitsPerSecond: 10 });
  const { cutAtBytes, lingerUs, link } = conditions;
  assert.deepEqual([cutAtBytes, lingerUs, link.latency.baseUs, link.bitsPerSecond], [50, 3000, 7000, 9]);
  // A sender waits where a link would lose.
  assert.equal(link.queueBytes, Number.MAX_SAFE_INTEGER);
});

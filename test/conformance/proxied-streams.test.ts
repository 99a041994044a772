import { describe, it } from "node:test";
import { connect, listen } from "../../src/index.ts";
import { type ProxyFault, startProxy } from "../../src/proxy.ts";
import { abortChecks, resetChecks } from "../../src/testing/stream/aborts.ts";
import { bridgeChecks } from "../../src/testing/stream/bridges.ts";
import { cancelChecks } from "../../src/testing/stream/cancel.ts";
import { concurrencyChecks } from "../../src/testing/stream/concurrency.ts";
import { endChecks, halfCloseChecks } from "../../src/testing/stream/ends.ts";
import { readChecks } from "../../src/testing/stream/reads.ts";
import { transferChecks, writeChecks } from "../../src/testing/stream/transfer.ts";

/*
 * Two programs that talk through the fault proxy see what they would see without it, late or not. These are the checks of every kind
 * of connection but those of addresses, since the other end is the proxy's.
 */

const CHECKS = [
  transferChecks,
  readChecks,
  writeChecks,
  cancelChecks,
  concurrencyChecks,
  endChecks,
  halfCloseChecks,
  abortChecks,
  resetChecks,
  bridgeChecks,
].flatMap((checks) => Object.entries(checks));

/** With latency a way that looks full has room again a moment later, and a writer hears late that its reader has left. */
const needsPunctual = (title: string, body: unknown): boolean =>
  String(body).includes("fillUp(") || title === "close discards lingerBytes and no more";

const LATE: ProxyFault = { kind: "latency", from: "*", to: "*", latency: 2 };

for (const [name, faults] of [
  ["the fault proxy", []],
  ["the fault proxy with latency", [LATE]],
] as const) {
  void describe(name, () => {
    for (const [title, body] of CHECKS.filter((one) => faults.length === 0 || !needsPunctual(...one))) {
      void it(title, async () => {
        await using listener = await listen("tcp://127.0.0.1:0");
        await using running = await startProxy({ proxies: [{ name: "way", upstream: listener.localAddress, faults }] });
        const { listen: door } = running.proxies.get("way") ?? { listen: "" };
        const [a, b] = await Promise.all([connect(door), listener.accept()]);
        try {
          await body(a, b, { reset: true, halfClose: true });
        } finally {
          a.abort();
          b.abort();
        }
      });
    }
  });
}

/**
 * What a relay must pass on: an end as an end, a reset as a reset, and the slowness of a reader. The fault proxy passes all of it,
 * with latency too. socat and haproxy go through the same checks; break-your-program.md in the guide has what they answered. Their
 * answers are printed and hardly judged, since another version may answer otherwise.
 */

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { connect, listen, type StreamSocket } from "../../src/index.ts";
import { type ProxyFault, startProxy } from "../../src/proxy.ts";
import { fillUp, greet, pause, receivePattern, textToEnd } from "../../src/testing/stream/check.ts";
import { freePort, launched, missing, started } from "../fixtures/programs.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

/** What the buffers of three kernels and of a relay hold, and more. */
const FAR_TOO_MUCH_BYTES = 134_217_728;
/** As long as a server thinks about a question. */
const THINKING_MS = 1_000;
const READY_MS = 20_000;

/** Starts a relay to a port of loopback and answers its own port. */
type Relay = (t: TestContext, port: number) => Promise<number>;

const proxy =
  (...faults: readonly ProxyFault[]): Relay =>
  async (t, port) => {
    const running = await startProxy({ proxies: [{ name: "relay", upstream: `tcp://127.0.0.1:${port}`, faults }] });
    t.after(() => running.close({ timeoutMs: 0 }));
    return running.proxies.get("relay")?.listen.port ?? 0;
  };

const socat: Relay = async (t, port) => {
  const own = await freePort();
  const from = `TCP4-LISTEN:${own},bind=127.0.0.1,fork,reuseaddr`;
  await started(t, ["socat", "-dd", from, `TCP4:127.0.0.1:${port}`], /listening on/);
  return own;
};

const haproxy: Relay = async (t, port) => {
  const own = await freePort();
  const times = ["connect", "client", "server"].map((what) => `  timeout ${what} 60s\n`).join("");
  const ways = `listen relay\n  bind 127.0.0.1:${own}\n  server next 127.0.0.1:${port}\n`;
  const file = join(temporaryFolder(t), "haproxy.cfg");
  await writeFile(file, `defaults\n  mode tcp\n${times}${ways}`);
  launched(t, ["haproxy", "-db", "-f", file]);
  return own;
};

/** One end asks and ends its direction; the other one thinks before it answers and ends. */
async function halfClose(asks: StreamSocket, answers: StreamSocket): Promise<void> {
  await asks.write("question");
  await asks.end();
  assert.equal(await textToEnd(answers), "question");
  await pause(asks, THINKING_MS);
  await answers.write("answer");
  await answers.end();
  assert.equal(await textToEnd(asks), "answer");
}

async function reset(aborts: StreamSocket, sees: StreamSocket): Promise<void> {
  aborts.abort();
  await assert.rejects(sees.readExactly(1), { code: "CONNECTION_RESET" });
}

/** A reader that never reads stops its writer; when it reads, everything comes. */
async function backpressure(writes: StreamSocket, reads: StreamSocket): Promise<void> {
  const accepted = await fillUp(writes, FAR_TOO_MUCH_BYTES);
  assert.ok(accepted < FAR_TOO_MUCH_BYTES, "the writer never had to wait");
  const [received] = await Promise.all([receivePattern(reads), writes.end()]);
  assert.equal(received, accepted);
}

const CHECKS = { "half-close": halfClose, reset, backpressure } as const;

/** What came of each check, in both directions: a failure in a few words, or "passes". */
async function answersOf(t: TestContext, relay: Relay): Promise<Readonly<Record<string, string>>> {
  const answers = Object.entries(CHECKS).flatMap(([title, check]) =>
    (["client", "server"] as const).map(async (first) => {
      await using listener = await listen("tcp://127.0.0.1:0");
      const own = await relay(t, listener.localAddress.port);
      const client = await connect(`tcp://127.0.0.1:${own}`, { retry: { timeoutMs: READY_MS } });
      const server = await listener.accept({ timeoutMs: READY_MS });
      try {
        await greet(client, server);
        await (first === "client" ? check(client, server) : check(server, client));
        return [`${title}, ${first} first`, "passes"] as const;
      } catch (error) {
        return [`${title}, ${first} first`, (error as Error).message.split("\n")[0] ?? ""] as const;
      } finally {
        client.abort();
        server.abort();
      }
    }),
  );
  return Object.fromEntries(await Promise.all(answers));
}

const LATE: ProxyFault = { kind: "latency", from: "*", to: "*", latency: 20 };

for (const [title, relay] of [
  ["the fault proxy", proxy()],
  ["the fault proxy with latency", proxy(LATE)],
] as const) {
  test(`${title} passes everything on`, async (t) => {
    const answers = await answersOf(t, relay);
    assert.deepEqual(Object.values(answers), Array<string>(6).fill("passes"), JSON.stringify(answers));
  });
}

for (const [program, relay] of [
  ["socat", socat],
  ["haproxy", haproxy],
] as const) {
  test(`what ${program} passes on`, { skip: missing(program) }, async (t) => {
    const answers = await answersOf(t, relay);
    for (const [title, answer] of Object.entries(answers)) t.diagnostic(`${title}: ${answer}`);
    // The buffers of the kernel are behind this one, whatever the version.
    assert.equal(answers["backpressure, client first"], "passes");
  });
}

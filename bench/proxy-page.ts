/**
 * What the page of the fault proxy costs: 2,000 chunks a second of one connection are drawn in headless Chromium (Debian's `chromium`), with a
 * fault that makes each arrow slope. Prints the cores that the browser takes, all its processes together, over ten seconds.
 */

import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { chromium } from "playwright-core";
import { connect, serve, type StreamSocket } from "zocalo";
import { servePage, startProxy } from "zocalo/proxy";
import { showBar } from "./harness/figures.ts";

/** In each direction. */
const PER_SECOND = 1050;
const SECONDS = 10;
const TICKS_A_SECOND = 100;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Says so often in a second what fits a chunk, and reads whatever comes, until it is told to stop. */
async function talk(call: StreamSocket, stop: AbortSignal): Promise<void> {
  const chunk = Buffer.alloc(64, "hola ");
  const beganAt = performance.now();
  const reading = (async () => {
    for await (const bytes of call) if (bytes.length === 0) return;
  })();
  reading.catch(() => undefined);
  for (let said = 0; !stop.aborted; await pause(1)) {
    const due = ((performance.now() - beganAt) / 1000) * PER_SECOND;
    // Each turn of the event loop one chunk: two in one turn would arrive as one.
    for (; said < due && !stop.aborted; said += 1) {
      await call.write(chunk);
      await new Promise(setImmediate);
    }
  }
}

/** Seconds of processor time of a process and all below it (proc(5)). */
function processorSeconds(root: number): number {
  const processes = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const fields = readFileSync(`/proc/${name}/stat`, "utf8")
          .replace(/^.*\) /s, "")
          .split(" ");
        return [{ id: Number(name), parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) }];
      } catch {
        return [];
      }
    });
  const family = new Set([root]);
  for (let before = 0; before < family.size; ) {
    before = family.size;
    for (const { id, parent } of processes) if (family.has(parent)) family.add(id);
  }
  const ticks = processes.filter(({ id }) => family.has(id)).reduce((sum, one) => sum + one.ticks, 0);
  return ticks / TICKS_A_SECOND;
}

const executablePath = spawnSync("sh", ["-c", "command -v chromium"], { encoding: "utf8" }).stdout.trim();
if (executablePath === "") {
  console.log("chromium is not installed");
  process.exit(0);
}
const stop = new AbortController();
const server = await serve("tcp://127.0.0.1:0", (peer) => talk(peer, stop.signal).catch(() => undefined));
const running = await startProxy({ proxies: [{ name: "echo", upstream: server.localAddress }] });
// No two arrows have the same slope, so few of them are one.
running.inflict({ kind: "latency", from: "*", to: "*", latency: { kind: "uniform", fromMs: 5, toMs: 80 } });
const page = await servePage(running);
const call = await connect(running.proxies.get("echo")?.listen ?? "");
const browser = await chromium.launchServer({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--no-proxy-server"],
});
const client = await chromium.connect(browser.wsEndpoint());
const tab = await client.newPage({ viewport: { width: 1280, height: 1000 } });
await tab.goto(page.url);
await tab.getByRole("button", { name: "show connection 1 of echo" }).click();

const talking = talk(call, stop.signal);
await pause(3000);
let chunks = 0;
const unwatch = running.watch(({ type }) => (chunks += type === "chunk" ? 1 : 0));
const root = browser.process().pid ?? 0;
const [before, ownBefore] = [processorSeconds(root), process.cpuUsage()];
await pause(SECONDS * 1000);
const cores = (processorSeconds(root) - before) / SECONDS;
const own = process.cpuUsage(ownBefore);
unwatch();
const note = (await tab.locator(".sequence .note").textContent())?.trim() ?? "";
stop.abort();
await talking;
showBar({ name: "chunks drawn", values: [chunks / SECONDS], target: { atLeast: 2000 }, unit: "a second" });
showBar({ name: "the browser", values: [cores], target: { atMost: 1 }, unit: "cores" });
showBar({ name: "server, proxy and client", values: [(own.user + own.system) / 1e6 / SECONDS], unit: "cores" });
if (note !== "") console.log(`the page says: ${note}`);
await browser.close();
call.abort();
await page.close();
await running.close({ timeoutMs: 0 });
await server.close({ timeoutMs: 0 });

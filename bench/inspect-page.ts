/**
 * How long the page of the inspector takes to show 10,000 sessions in headless Chromium (Debian's `chromium`): from its address to the map and the
 * list, in a browser that has not seen it. The program that is looked at drives the browser too. It needs 11,000 open files (`ulimit -n`).
 */

import { spawnSync } from "node:child_process";
import { chromium } from "playwright-core";
import { inspect } from "../src/inspect.ts";
import { ROUNDS } from "./harness/alternate.ts";
import { showBar } from "./harness/figures.ts";
import { start } from "./harness/processes.ts";
import { peers } from "./protocol/zocalo.ts";

const SESSIONS = 10_000;

const executablePath = spawnSync("sh", ["-c", "command -v chromium"], { encoding: "utf8" }).stdout.trim();
if (executablePath === "") {
  console.log("chromium is not installed");
  process.exit(0);
}
// First: it lists what opens behind it.
const inspector = await inspect();
const serving = await peers["zocalo"]?.serve({ event: () => undefined, call: (message) => message });
const client = start(new URL("./protocol/roles.js", import.meta.url).href, "client", "zocalo");
await client.ask("join", { port: serving?.port ?? 0, count: SESSIONS });
const args = ["--no-sandbox", "--disable-gpu", "--no-proxy-server"];
const browser = await chromium.launch({ executablePath, args });

/** Milliseconds until everything of a view is there. */
async function opened(place: string, wanted: readonly string[]): Promise<number> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: "en-GB" });
  const page = await context.newPage();
  const beganAt = performance.now();
  await page.goto(`${inspector.url}${place}`);
  for (const selector of wanted) await page.locator(selector).first().waitFor();
  const took = performance.now() - beganAt;
  await context.close();
  return took;
}

const VIEWS = {
  servers: { place: "", wanted: ["text=bench 1.0.0"] },
  sessions: { place: "#/sessions?sort=held", wanted: ["button.cell", "tbody tr"] },
};
for (const [name, { place, wanted }] of Object.entries(VIEWS)) {
  const values: number[] = [];
  // A browser that has just started is slower.
  for (let round = -1; round < ROUNDS; round += 1) {
    const took = await opened(place, wanted);
    if (round >= 0) values.push(took);
  }
  showBar({ name: `${SESSIONS} sessions: ${name} shown after`, values, target: { atMost: 1000 }, unit: "ms" });
}
await browser.close();
await inspector.close();
client.stop();
process.exit();

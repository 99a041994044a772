// npm run build, and then: node tools/page-pictures.mjs [folder]
//
// Takes the pictures of the fault proxy's page that the README and the guide show, in a real browser (Debian's chromium; pngquant makes
// them small), with traffic that passes real proxies: docs/pictures/proxy-page.png and proxy-page.es.png. With a folder they go there, and with
// them those of a narrow window, of the dark page and of the form, to look at.
import { mkdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { chromium } from "playwright-core";
import { bind, connect, serve } from "../dist/index.js";
import { servePage, startProxy } from "../dist/proxy.js";
import { givePalette } from "./pictures/palette.mjs";
import { root } from "./run-command.mjs";

const BROWSER = process.env.CHROMIUM ?? "/usr/bin/chromium";
/** With a folder: not for the documentation. */
const toLookAt = process.argv[2] !== undefined;
const folder = process.argv[2] ?? `${root}docs/pictures`;

/** A store of words over TCP, and a sensor over UDP, both behind proxies. */
async function scene() {
  const store = await serve("tcp://127.0.0.1:0", async (peer) => {
    for await (const bytes of peer)
      await peer.write(bytes.length > 200 ? "OK\r\n" : `VALUE ${"zócalo ".repeat(30)}\r\n`);
  });
  const sensor = await bind("udp://127.0.0.1:0");
  const heard = (async () => {
    for await (const { data, from } of sensor) await sensor.send(data.subarray(0, 4), from).catch(() => undefined);
  })();
  const running = await startProxy({
    seed: 7,
    proxies: [
      { name: "store", upstream: store.localAddress },
      { name: "sensor", upstream: sensor.localAddress },
    ],
  });
  const stop = new AbortController();
  const talks = [client(running, stop.signal), client(running, stop.signal), sensing(running, stop.signal)];
  return {
    running,
    async end() {
      stop.abort();
      await Promise.allSettled(talks);
      await running.close({ timeoutMs: 0 });
      await store.close({ timeoutMs: 0 });
      await sensor.close();
      await heard;
    },
  };
}

/** Stores words and reads them, now and then. */
async function client(running, signal) {
  while (!signal.aborted) {
    let call;
    try {
      call = await connect(running.proxies.get("store").listen);
      for (let turn = 0; turn < 400 && !signal.aborted; turn += 1) {
        await call.write(turn % 3 === 0 ? `SET plaza ${"x".repeat(300 + 40 * (turn % 9))}\r\n` : "GET plaza\r\n");
        await call.readUntil("\r\n", { timeoutMs: 5_000 });
        await sleep(60 + 50 * (turn % 5));
      }
    } catch {
      await sleep(300);
    } finally {
      call?.abort();
    }
  }
}

async function sensing(running, signal) {
  const box = await bind("udp://127.0.0.1:0");
  while (!signal.aborted) {
    await box.send(`t=${(20 + Math.random()).toFixed(2)} id=7`, running.proxies.get("sensor").listen);
    await sleep(120);
  }
  await box.close();
}

const WAY = { from: "*", to: "*" };

/** What goes wrong, one after the other, so that the lanes have something to tell. */
async function storm(running, wait) {
  const [store, sensor] = ["store", "sensor"].map((name) => running.proxies.get(name));
  const bandwidth = store.inflict({ kind: "bandwidth", ...WAY, bitsPerSecond: 512_000 });
  sensor.inflict({ kind: "loss", from: "client", to: "server", chance: 0.2 });
  await wait(5_000);
  bandwidth.heal();
  sensor.inflict({ kind: "duplication", ...WAY, chance: 0.2 });
  const slow = { kind: "uniform", fromMs: 60, toMs: 180 };
  store.inflict({ kind: "latency", ...WAY, latency: slow });
  await wait(5_000);
  store.inflict({ kind: "loss", from: "server", to: "client", chance: 0.08 });
  store.inflict({ kind: "slicing", from: "client", to: "server", averageBytes: 120, variationBytes: 40, delayMs: 25 });
  await wait(9_000);
}

async function picture(browser, url, { language, scheme, width, height, name, scale }) {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: scheme,
    locale: language === "es" ? "es-ES" : "en-GB",
    deviceScaleFactor: scale,
  });
  const page = await context.newPage();
  await page.goto(url);
  await page.locator(".connections tbody tr").first().waitFor();
  return { page, context, path: `${folder}/${name}.png` };
}

mkdirSync(folder, { recursive: true });
const played = await scene();
const { running } = played;
const served = await servePage(running);
const browser = await chromium.launch({
  executablePath: BROWSER,
  args: ["--no-sandbox", "--disable-gpu", "--no-proxy-server"],
});
const looks = [
  { name: "proxy-page", language: "en", scheme: "light" },
  { name: "proxy-page.es", language: "es", scheme: "light" },
  ...(toLookAt ? [{ name: "dark", language: "en", scheme: "dark" }] : []),
].map((look) => ({ ...look, width: 1280, height: 1080, scale: 1 }));
if (toLookAt) {
  for (const scheme of ["light", "dark"])
    looks.push({ name: `narrow.${scheme}`, language: "es", scheme, width: 390, height: 844, scale: 2 });
}
const opened = [];
for (const look of looks) opened.push(await picture(browser, served.url, look));
// The page says what is recorded.
await opened[0].page.getByRole("button", { name: "● Record" }).click();
for (const { page } of opened) await page.locator(".connections tbody tr", { hasText: "store" }).first().click();
await storm(running, sleep);
await opened[0].page.getByRole("button", { name: "■ Stop recording" }).click();
await sleep(700);
for (const { page, path } of opened) {
  await page.locator("svg[role=img].diagram").focus();
  for (let step = 0; step < 4; step += 1) await page.keyboard.press("ArrowUp");
  await sleep(300);
  await page.evaluate(() => document.activeElement?.blur());
  await page.screenshot({ path, fullPage: true });
}
await givePalette(opened.map(({ path }) => path));
if (toLookAt) {
  const [{ page }] = opened;
  await page.getByRole("button", { name: "Begin a fault" }).first().click();
  await page.screenshot({ path: `${folder}/form.png` });
}
await browser.close();
await served.close();
await played.end();

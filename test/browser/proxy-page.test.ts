import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import type { Page } from "playwright-core";
import { connect, type StreamSocket } from "../../src/index.ts";
import type { FaultProxies, FaultProxy } from "../../src/proxy.ts";
import { servedPage } from "../fixtures/served-page.ts";
import { hide, missing, openPage } from "./browser.ts";

/* The page of the fault proxy in a real browser. */

/** Proxies with a page, and a client. */
async function served(t: TestContext): Promise<Scene> {
  const { running, page } = await servedPage(t);
  const echo = running.proxies.get("echo") as FaultProxy;
  const call = await connect(echo.listen);
  t.after(() => call.abort());
  return { running, echo, call, url: page.url };
}

interface Scene {
  readonly running: FaultProxies;
  readonly echo: FaultProxy;
  readonly call: StreamSocket;
  readonly url: string;
}

/** Says something and hears it back. */
async function say(call: StreamSocket, text: string): Promise<void> {
  await call.write(text);
  await call.readExactly(Buffer.byteLength(text));
}

/** Says it until something has been seen: what is drawn scrolls away. */
async function sayUntil(call: StreamSocket, text: string, seen: Promise<unknown>): Promise<void> {
  const over = seen.then(() => true);
  over.catch(() => undefined);
  const again = (): Promise<boolean> => new Promise((resolve) => setTimeout(() => resolve(false), 20));
  do await say(call, text);
  while (!(await Promise.race([over, again()])));
}

/** Waits until something holds in the page. Its policy lets it evaluate nothing by itself. */
async function until(page: Page, condition: string): Promise<void> {
  while ((await page.evaluate(condition)) !== true) await page.waitForTimeout(20);
}

/** Waits until there is an arrow of that kind. */
function drawn(page: Page, mark: string): Promise<unknown> {
  return page.locator(`.sequence svg[role=img] path.${mark}:not([d=""])`).waitFor({ state: "attached" });
}

/** Presses the space bar, and waits until the page says that the drawing stands still. */
async function stopDrawing(page: Page): Promise<void> {
  await page.keyboard.press("Space");
  await page.getByText("the drawing has stopped").waitFor();
}

describe("the page of the fault proxy", { skip: missing }, () => {
  test("shows each proxy, in the language of the browser, which a button changes", async (t) => {
    const { echo, url } = await served(t);
    const page = await openPage(t, { url, locale: "es-MX" });
    await page.getByText("en vivo").waitFor();
    await page.getByText(echo.listen.hostPort, { exact: true }).waitFor();
    await page.getByRole("button", { name: "English" }).click();
    await page.getByText("live", { exact: true }).waitFor();
    assert.equal(await page.locator("html").getAttribute("lang"), "en");
    await page.reload();
    await page.getByText("live", { exact: true }).waitFor();
  });

  test("a fault begins, changes and ends there, and what the server refuses is said", async (t) => {
    const { echo, url } = await served(t);
    const page = await openPage(t, { url });
    await page.getByRole("button", { name: "Begin a fault" }).first().click();
    await page.getByRole("combobox", { name: /^Fault/ }).selectOption("loss");
    await page.getByRole("combobox", { name: /^Direction/ }).selectOption("toServer");
    await page.getByLabel("probability, 0 to 1").first().fill("1,000");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("“1,000” may be a thousand or a decimal: write 1000 or 1").waitFor();
    await page.getByLabel("probability, 0 to 1").first().fill("7");
    await page.getByRole("button", { name: "Begin", exact: true }).click();
    await page.getByRole("alert").getByText("from 0 to 1").waitFor();
    assert.deepEqual(echo.faults, []);
    await page.getByLabel("probability, 0 to 1").first().fill("0.25");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "loss 25 % →: change or end it" }).click();
    assert.deepEqual(echo.faults, [{ kind: "loss", from: "client", to: "server", chance: 0.25 }]);
    await page.getByLabel("probability, 0 to 1").first().fill("0.5");
    await page.getByRole("button", { name: "Change", exact: true }).click();
    await page.getByRole("button", { name: "loss 50 % →: change or end it" }).click();
    await page.getByRole("button", { name: "End it", exact: true }).click();
    await page.getByRole("button", { name: "loss 50 % →, ended" }).waitFor();
    assert.deepEqual(echo.faults, []);
  });

  test("in Spanish the kinds have Spanish names, and a number that may be two is none", async (t) => {
    const { echo, url } = await served(t);
    const page = await openPage(t, { url, locale: "es-MX" });
    await page.getByRole("button", { name: "Empezar un fallo" }).first().click();
    await page.getByRole("combobox", { name: /^Fallo/ }).selectOption({ label: "latencia" });
    const delay = page.getByLabel("retraso (ms)");
    await delay.fill("1,000");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("“1,000” puede tener miles o decimales: escribe 1000 o 1").waitFor();
    assert.deepEqual(echo.faults, []);
    await delay.fill("1,5");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "latencia 1,5 ms: cambiarlo o terminarlo" }).waitFor();
    assert.deepEqual(echo.faults, [{ kind: "latency", from: "*", to: "*", latency: 1.5 }]);
  });

  test("datagrams are not offered what they cannot have", async (t) => {
    const { url } = await served(t);
    const page = await openPage(t, { url });
    await page.getByRole("button", { name: "Begin a fault" }).last().click();
    const options = page.getByRole("combobox", { name: /^Fault/ }).locator("option");
    // All texts are those of now; the form comes in the next picture.
    await options.first().waitFor({ state: "attached" });
    const kinds = await options.allTextContents();
    assert.ok(kinds.includes("duplication") && !kinds.includes("reset") && !kinds.includes("slicing"));
  });

  test("draws the selected connection, and shows bytes as nothing but text", async (t) => {
    const { echo, call, url } = await served(t);
    const page = await openPage(t, { url });
    await page.evaluate("globalThis.alert = () => { throw new Error('markup ran') }");
    await page.getByRole("button", { name: "show connection 1 of echo" }).click();
    echo.inflict({ kind: "latency", from: "*", to: "*", latency: 5 });
    const evil = "<img src=x onerror=alert(1)>";
    // While it is said again and again, something is in sight; what is there when the drawing stops, stays there.
    await sayUntil(
      call,
      evil,
      drawn(page, "toClient").then(() => stopDrawing(page)),
    );
    await page.locator(".sequence svg[role=img]").focus();
    await page.keyboard.press("ArrowUp");
    await page.locator(".details").getByText("faults that acted: latency").waitFor();
    const dump = await page.locator(".dump").textContent();
    assert.ok(dump?.includes("3c 69 6d 67") && dump.includes("<img src=x oner"), dump ?? "");
    assert.equal(await page.locator("img").count(), 0);
    // Nothing of it is there when no connection is selected.
    await page.getByRole("button", { name: "Show none" }).click();
    await page.getByText("Choose a connection").waitFor();
    assert.equal(await page.locator(".dump").count(), 0);
  });

  test("space stops the drawing, not the traffic", async (t) => {
    const { call, url } = await served(t);
    const page = await openPage(t, { url });
    await page.getByRole("button", { name: "show connection 1 of echo" }).click();
    await sayUntil(call, "before", drawn(page, "toServer"));
    await stopDrawing(page);
    // Arrows of 600 bytes have passed when the list of connections has heard of them; what is drawn says how long its arrows are.
    const during = "during".repeat(100);
    const labels = page.locator(".sequence svg[role=img] g.labels text", { hasText: "600 B" });
    const bytes = 'parseInt(document.querySelectorAll(".connections tr.selected td.number")[2].title)';
    const before = Number(await page.evaluate(bytes));
    for (let said = 0; said < 3; said += 1) await say(call, during);
    await until(page, `${bytes} >= ${before} + 3 * ${during.length}`);
    assert.equal(await labels.count(), 0);
    await page.keyboard.press("Space");
    await sayUntil(call, during, labels.first().waitFor({ state: "attached" }));
  });

  test("a page that nobody sees is told nothing, and shows of which time it knows nothing", async (t) => {
    const { running, call, url } = await served(t);
    const watch = running.watch.bind(running);
    let left = (): void => undefined;
    running.watch = (listener) => {
      const stop = watch(listener);
      return () => {
        stop();
        left();
      };
    };
    const page = await openPage(t, { url });
    await page.getByRole("button", { name: "show connection 1 of echo" }).click();
    await sayUntil(call, "seen", drawn(page, "toServer"));
    const isLeft = new Promise<void>((resolve) => (left = resolve));
    await hide(page, true);
    await isLeft;
    await say(call, "unseen".repeat(100));
    await hide(page, false);
    await sayUntil(call, "seen", drawn(page, "gap"));
    const labels = page.locator(".sequence svg[role=img] g.labels text", { hasText: "600 B" });
    assert.equal(await labels.count(), 0);
  });

  test("a page too many says so, and shows what passes when another one is closed", async (t) => {
    const { url } = await served(t);
    const page = await openPage(t, { url, locale: "es-MX" });
    await page.getByText("en vivo").waitFor();
    await page.clock.install();
    await hide(page, true);
    const others = new AbortController();
    t.after(() => others.abort());
    const events = url.replace("/?", "/events?");
    // The page itself may still have its place.
    for (let isRoom = true; isRoom; ) isRoom = (await fetch(events, { signal: others.signal })).ok;
    await hide(page, false);
    await page.getByText("hay demasiadas páginas abiertas: cierra una").waitFor();
    others.abort();
    while (!(await page.getByText("en vivo").isVisible())) await page.clock.runFor(1000);
  });

  test("a recording can be saved, played and copied", async (t) => {
    const { running, echo, call, url } = await served(t);
    const page = await openPage(t, { url });
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await page.getByRole("button", { name: "● Record" }).click();
    const stop = page.getByRole("button", { name: "■ Stop recording" });
    await stop.waitFor();
    const guard = echo.inflict({ kind: "latency", from: "*", to: "*", latency: 1 });
    await say(call, "hola");
    guard.heal();
    await stop.click();
    // The page knows all of it when it can play it.
    const replay = page.getByRole("button", { name: "▶ Play the recording", disabled: false });
    await replay.waitFor();
    const [saved] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("link", { name: "Save pcapng" }).click(),
    ]);
    assert.equal(saved.suggestedFilename(), "zocalo.pcapng");
    await page.getByRole("button", { name: "Copy as test: zocalo" }).click();
    await page.getByText("copied").waitFor();
    const copied = String(await page.evaluate("navigator.clipboard.readText()"));
    assert.match(copied, /"kind":"latency"[\s\S]*zocalo proxy .* --faults faults\.json -- npm test/);
    // A play as short as this recording may be over before the page shows it.
    const began = new Promise<string>((resolve) => {
      running.watch((event) => {
        if (event.type === "fault" && event.change === "began") resolve(event.fault.kind);
      });
    });
    await replay.click();
    assert.equal(await began, "latency");
  });

  test("a narrow window has everything, and nothing stands out of it", async (t) => {
    const { call, url } = await served(t);
    const page = await openPage(t, { url, width: 390 });
    await page.getByRole("button", { name: "show connection 1 of echo" }).click();
    await sayUntil(call, "x".repeat(80), drawn(page, "toServer"));
    for (const name of ["Begin a fault", "● Record"])
      await page.getByRole("button", { name }).first().scrollIntoViewIfNeeded();
    assert.equal(await page.evaluate("document.documentElement.scrollWidth"), 390);
    await page.getByRole("button", { name: "Begin a fault" }).first().click();
    await page.getByRole("combobox", { name: /^Fault/ }).selectOption("burst-loss");
    await page.getByText("When it acts").click();
    await page.getByLabel("when these bytes pass").waitFor();
    assert.equal(
      await page.evaluate(
        "(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)(document.querySelector('dialog'))",
      ),
      0,
    );
  });

  test("of many proxies the first ones are shown, and any is found by its name, whatever that is", async (t) => {
    const { running, echo, url } = await served(t);
    const names = [
      "constructor",
      "x".repeat(300),
      "שלום",
      ...Array.from({ length: 40 }, (_, index) => `many ${index}`),
    ];
    for (const name of names) await running.add({ name, upstream: echo.upstream });
    const page = await openPage(t, { url });
    await page.getByText("and 20 more: find one by its name").waitFor();
    assert.equal(await page.locator("article.lane").count(), 25);
    assert.equal(await page.evaluate("document.documentElement.scrollWidth"), 1280);
    const find = page.getByRole("searchbox", { name: "Find a proxy" });
    await find.fill("MANY 39");
    await page.getByRole("heading", { name: "many 39" }).waitFor();
    assert.equal(await page.locator("article.lane").count(), 1);
    await page.getByRole("button", { name: "Begin a fault" }).click();
    await page.getByRole("button", { name: "Begin", exact: true }).click();
    await page.getByRole("button", { name: /^latency .*: change or end it$/ }).waitFor();
    assert.equal(running.proxies.get("many 39")?.faults.length, 1);
    for (const name of ["constructor", "שלום"]) {
      await find.fill(name);
      await page.getByRole("heading", { name }).waitFor();
    }
  });
});

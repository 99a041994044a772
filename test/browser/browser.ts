/** A real browser, where there is one: Debian's chromium, without a window. */

import { spawnSync } from "node:child_process";
import type { TestContext } from "node:test";
import { type Browser, chromium, type Page } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];
const program = NAMES.find((name) => spawnSync(name, ["--version"]).status === 0);

/** Why tests with a browser are skipped; false where they are not. */
export const missing: string | false = program === undefined ? "chromium is not installed" : false;

/** Starts the browser. It reaches nothing but this machine. */
async function openBrowser(): Promise<Browser> {
  const path = spawnSync("sh", ["-c", `command -v ${program}`], { encoding: "utf8" }).stdout.trim();
  return await chromium.launch({ executablePath: path, args: ["--no-sandbox", "--disable-gpu", "--no-proxy-server"] });
}

/** How a page is looked at. */
export interface Look {
  readonly url: string;
  readonly width?: number;
  readonly locale?: string;
}

/** Opens a page, which is closed behind the test, and fails the test on any error that the page has. */
export async function openPage(t: TestContext, { url, width = 1280, locale = "en-GB" }: Look): Promise<Page> {
  const browser = await openBrowser();
  t.after(() => browser.close());
  const context = await browser.newContext({ viewport: { width, height: 900 }, locale });
  const page = await context.newPage();
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    // Answers of the server that refuse something are errors to the browser, and expected here.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
      errors.push(message.text());
  });
  t.after(() => {
    if (errors.length > 0) throw new Error(`the page had errors: ${errors.join("; ")}`);
  });
  await page.goto(url);
  return page;
}

/** Puts the page behind another tab, or in front again. */
export async function hide(page: Page, isHidden: boolean): Promise<void> {
  await page.evaluate(`
    Object.defineProperty(document, "hidden", { configurable: true, get: () => ${isHidden} });
    document.dispatchEvent(new Event("visibilitychange"));
  `);
}

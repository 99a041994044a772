// npm run build, and then: node tools/screenshots.mjs [name...] [--into folder]
//
// Makes the pictures of the pages: docs/pictures/NAME.png with an English page, NAME.es.png with a Spanish one, in a real
// browser (Debian's chromium; pngquant makes them small). With a folder they go there, and with them a dark and a narrow page of each.
// Look at them before they are committed: no test does.
import { chromium } from "playwright-core";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { givePalette } from "./pictures/palette.mjs";
import { root } from "./run-command.mjs";

const { positionals: wanted, values } = parseArgs({ options: { into: { type: "string" } }, allowPositionals: true });
const FOLDER = values.into ?? `${root}docs/pictures`;

/** How a page is looked at, by the ending of its picture. */
const LOOKS = { "": { locale: "en-GB" }, ".es": { locale: "es-ES" } };
const LOOKS_ASIDE = {
  ".dark": { locale: "en-GB", colorScheme: "dark" },
  ".narrow": { locale: "es-ES", viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 },
};

/** The pictures: a program that prints the address of a page, where in the page to go, and what to do there. */
const PICTURES = {
  "inspect-sessions": { program: "inspect-scene.mjs", place: "#/sessions?sort=held", height: 640 },
  "inspect-session": {
    program: "inspect-scene.mjs",
    place: "#/sessions?sort=held",
    height: 640,
    // The one that holds most: something is under way there.
    act: async (page) => {
      await page.locator("tbody").getByRole("link").first().click();
      await setTimeout(4000);
    },
  },
  "proxy-page": {
    program: "proxy-scene.mjs",
    place: "",
    height: 1080,
    fullPage: true,
    // The page says what is recorded, and shows a connection in small steps of time.
    begin: async (page) => {
      await page.getByRole("button", { name: "●" }).click();
      await page.locator(".connections tbody tr", { hasText: "store" }).first().click();
    },
    act: async (page) => {
      await setTimeout(9000);
      await page.getByRole("button", { name: "■" }).click();
      await page.locator("svg[role=img].diagram").focus();
      for (let step = 0; step < 4; step += 1) await page.keyboard.press("ArrowUp");
      await setTimeout(700);
      await page.evaluate(() => document.activeElement?.blur());
    },
  },
};

/** The address that a program prints first. It ends with `child`. */
async function addressOf(child) {
  const [line] = await once(createInterface(child.stdout), "line");
  return line;
}

/** Each look has a scene of its own, which begins with it. */
async function take(browser, path, { program, place, height, fullPage, begin, act }, look) {
  const child = spawn(process.execPath, [`${root}tools/pictures/${program}`], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const url = await addressOf(child);
    const context = await browser.newContext({ viewport: { width: 1280, height }, colorScheme: "light", ...look });
    const page = await context.newPage();
    await page.goto(`${url}${place}`);
    await begin?.(page);
    // Rates need two answers, round trips a heartbeat, and late readers some time.
    await setTimeout(10_000);
    await act?.(page);
    await page.screenshot({ path, fullPage });
    await givePalette([path]);
    await context.close();
  } finally {
    child.kill();
  }
}

mkdirSync(FOLDER, { recursive: true });
const looks = Object.entries(values.into === undefined ? LOOKS : { ...LOOKS, ...LOOKS_ASIDE });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--no-proxy-server"],
});
try {
  for (const [name, picture] of Object.entries(PICTURES)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    for (const [ending, look] of looks) await take(browser, `${FOLDER}/${name}${ending}.png`, picture, look);
  }
} finally {
  await browser.close();
}

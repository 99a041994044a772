// npm run build, and then: node tools/screenshots.mjs [name...]
//
// Makes the pictures of the pages: docs/pictures/NAME.png with an English page, NAME.es.png with a Spanish one, in a real
// browser (Debian's chromium; pngquant makes them small). Look at them before they are committed: no test does.
import { chromium } from "playwright-core";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { givePalette } from "./pictures/palette.mjs";
import { root } from "./run-command.mjs";

const FOLDER = `${root}docs/pictures`;
const LOCALES = { "": "en-GB", ".es": "es-ES" };

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
};

/** The address that a program prints first. It ends with `child`. */
async function addressOf(child) {
  const [line] = await once(createInterface(child.stdout), "line");
  return line;
}

async function take(browser, name, { program, place, height, act }) {
  const child = spawn(process.execPath, [`${root}tools/pictures/${program}`], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const url = await addressOf(child);
    for (const [ending, locale] of Object.entries(LOCALES)) {
      const context = await browser.newContext({ viewport: { width: 1280, height }, locale, colorScheme: "light" });
      const page = await context.newPage();
      await page.goto(`${url}${place}`);
      // Rates need two answers, round trips a heartbeat, and late readers some time.
      await setTimeout(10_000);
      await act?.(page);
      const path = `${FOLDER}/${name}${ending}.png`;
      await page.screenshot({ path });
      await givePalette([path]);
      await context.close();
    }
  } finally {
    child.kill();
  }
}

const wanted = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--no-proxy-server"],
});
try {
  for (const [name, picture] of Object.entries(PICTURES))
    if (wanted.length === 0 || wanted.includes(name)) await take(browser, name, picture);
} finally {
  await browser.close();
}

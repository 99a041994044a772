import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import { connect, serve } from "../../src/index.ts";
import { type FaultProxies, servePage, startProxy } from "../../src/proxy.ts";
import { missing, openPage } from "./browser.ts";

/* The page of the fault proxy in a real browser. */

/** Proxies with a page. */
async function served(t: TestContext): Promise<{ readonly running: FaultProxies; readonly url: string }> {
  const server = await serve("tcp://127.0.0.1:0", async (peer) => {
    for await (const bytes of peer) await peer.write(bytes);
  });
  t.after(() => server.close({ timeoutMs: 0 }));
  const running = await startProxy({ seed: 7, proxies: [{ name: "echo", upstream: server.localAddress }] });
  t.after(() => running.close({ timeoutMs: 0 }));
  const page = await servePage(running);
  t.after(() => page.close());
  return { running, url: page.url };
}

describe("the page of the fault proxy", { skip: missing }, () => {
  test("shows each proxy, in the language of the browser, which a button changes", async (t) => {
    const { running, url } = await served(t);
    const page = await openPage(t, { url, locale: "es-MX" });
    await page.getByText("en vivo").waitFor();
    await page.getByText(String(running.proxies.get("echo")?.listen)).waitFor();
    await page.getByRole("button", { name: "English" }).click();
    await page.getByText("live").waitFor();
    assert.equal(await page.locator("html").getAttribute("lang"), "en");
    await page.reload();
    await page.getByText("live").waitFor();
  });

  test("shows what passes", async (t) => {
    const { running, url } = await served(t);
    const page = await openPage(t, { url });
    await using call = await connect(running.proxies.get("echo")?.listen ?? "");
    await call.write("hola".repeat(500));
    await call.readExactly(2000);
    await page.getByText("2 kB").first().waitFor();
  });
});

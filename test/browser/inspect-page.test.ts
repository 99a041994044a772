import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import { bind, connect, serve } from "../../src/index.ts";
import { inspect } from "../../src/inspect.ts";
import { call, connectSession, contract, serveSessions, stream, typeOnly } from "../../src/protocol.ts";
import { hide, missing, openPage } from "./browser.ts";

/* The page of the inspector in a real browser. */

const chat = contract("chat", "1.2.0", {
  server: {
    say: call<string, string>(),
    wait: call<void, void>(),
    feed: stream({ sends: typeOnly<string>() }),
  },
});

/** A program with one of everything, and 60 sessions. */
async function program(t: TestContext): Promise<Program> {
  const inspector = await inspect();
  t.after(() => inspector.close());
  const server = await serveSessions(chat, "tcp://127.0.0.1:0", {
    // What a program calls its clients is text for the page, whatever it looks like.
    authenticate: () => "<b>ana</b>",
    handlers: {
      say: (text) => text,
      wait: (_input, { signal }) => new Promise((done) => signal.addEventListener("abort", () => done())),
      feed: async (_input, { signal }) => await new Promise((done) => signal.addEventListener("abort", () => done())),
    },
  });
  t.after(() => server.close({ timeoutMs: 0 }));
  const sessions: Session[] = [];
  for (let opened = 0; opened < 30; opened += 1) {
    const session = await connectSession(chat, server.localAddress);
    t.after(() => session.abort());
    sessions.push(session);
  }
  const plain = await serve("tcp://127.0.0.1:0", async (peer) => void (await peer.read()));
  t.after(() => plain.close({ timeoutMs: 0 }));
  const connection = await connect(plain.localAddress);
  t.after(() => connection.abort());
  const box = await bind("udp://127.0.0.1:0");
  t.after(() => box.close());
  return { url: inspector.url, close: () => inspector.close(), server, sessions, connection, box };
}

type Session = Awaited<ReturnType<typeof connectSession<typeof chat.server>>>;

interface Program {
  readonly url: string;
  readonly close: () => Promise<void>;
  readonly server: { readonly localAddress: unknown };
  readonly sessions: readonly Session[];
  readonly connection: { readonly localAddress: unknown };
  readonly box: { readonly localAddress: unknown };
}

/** How wide the document is, with what does not fit on the screen. */
const WIDTH = "document.documentElement.scrollWidth";

describe("the page of the inspector", { skip: missing }, () => {
  test("shows servers, connections and datagram sockets, in the language of the browser", async (t) => {
    const { url, server, box } = await program(t);
    const page = await openPage(t, { url, locale: "es-MX" });
    await page.getByText("en vivo").waitFor();
    const servers = page.getByRole("table", { name: "Servidores y listeners" });
    const row = servers.getByRole("row").filter({ hasText: String(server.localAddress) });
    await row.getByText("chat 1.2.0").waitFor();
    await page.getByRole("table", { name: "Sockets de datagramas" }).getByText(String(box.localAddress)).waitFor();
    await page.getByRole("button", { name: "English" }).click();
    await page.getByRole("table", { name: "Servers and listeners" }).waitFor();
    // 61 connections on both sides: a page of them, and the next one.
    const connections = page.getByRole("table", { name: "Connections" });
    assert.equal(await connections.locator("tbody tr").count(), 10);
    const [, remote] = await connections.locator("tbody tr").first().locator("code").allTextContents();
    await page.getByRole("button", { name: "Next" }).click();
    await connections
      .getByRole("row")
      .filter({ hasText: remote as string })
      .first()
      .waitFor({ state: "detached" });
    await page.getByRole("table", { name: "Servers and listeners" }).getByRole("link", { name: "30" }).click();
    await page.getByText("30 in all").waitFor();
  });

  test("a cell of the map lists its sessions, and the keyboard goes from cell to cell and into one", async (t) => {
    const { url } = await program(t);
    const page = await openPage(t, { url: `${url}#/sessions?sort=age`, width: 390 });
    await page.getByText("60 in all").waitFor();
    const cells = page.locator("button.cell");
    const counted = (await cells.allTextContents()).map(Number).reduce((sum, one) => sum + one, 0);
    assert.equal(counted, 60);
    const cell = cells.first();
    await cell.focus();
    await page.keyboard.press("ArrowRight");
    await cell.focus();
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "all cells" }).waitFor();
    assert.match(page.url(), /cell=\d+,\d+/);
    const rows = page.getByRole("table", { name: "Sessions" }).locator("tbody tr");
    await rows.first().waitFor();
    assert.ok((await rows.count()) <= 25, "never all rows");
    assert.equal(await page.evaluate(WIDTH), 390, "nothing is wider than the screen");
    await rows.getByText("<b>ana</b>").first().waitFor();
    const link = rows.first().getByRole("link");
    const id = await link.textContent();
    await link.focus();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: `Session ${String(id)}` }).waitFor();
    assert.equal(await page.evaluate(WIDTH), 390, "nor is one session");
  });

  test("one session shows what is under way, and what happens while one looks", async (t) => {
    const { url, sessions } = await program(t);
    const [session] = sessions as [Session];
    void session.remote.wait().catch(() => undefined);
    session.remote.feed(undefined);
    const page = await openPage(t, { url: `${url}#/sessions?sort=age` });
    const rows = page.getByRole("table", { name: "Sessions" }).getByRole("row");
    // The oldest two are the two sides of the first session.
    await rows.filter({ hasText: "client" }).first().getByRole("link").click();
    const calls = page.getByRole("table", { name: "call" });
    await calls.getByText("wait").waitFor();
    await page.getByRole("table", { name: "stream" }).getByText("feed").waitFor();
    await page.getByText("nothing has happened since you are looking").waitFor();
    assert.equal(await session.remote.say("hola"), "hola");
    await page.getByText(/^1 sent, up to no\. \d+$/).waitFor();
    await page.getByText(/^1 received, up to no\. \d+$/).waitFor();
    assert.ok(!(await page.content()).includes("hola"), "nothing that is said is shown");
    // The space bar stops the drawing, and nothing else: the figures go on.
    const number = Number(/\d+$/.exec((await page.getByText(/^1 sent, up to no/).textContent()) ?? "")?.[0]);
    const hasSent = (count: number): Promise<void> =>
      page.locator("dl.figures div", { hasText: new RegExp(`^Sent${count}$`) }).waitFor();
    await hasSent(number);
    await page.keyboard.press("Space");
    await page.getByRole("button", { name: "Go on" }).waitFor();
    const seen = await page.locator("li.seen").count();
    assert.equal(await session.remote.say("hola"), "hola");
    await hasSent(number + 1);
    assert.equal(await page.locator("li.seen").count(), seen);
    await page.keyboard.press("Space");
    await page.locator("li.seen").nth(seen).waitFor();
  });

  test("asks for nothing while nobody sees it, and says when the program is gone", async (t) => {
    const { url, close } = await program(t);
    const page = await openPage(t, { url });
    await page.getByText("live").waitFor();
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    // From its next question on, its time is ours.
    await page.clock.install();
    const asksAgain = async (): Promise<void> => {
      const { length } = asked;
      while (asked.length === length) await page.clock.runFor(1000);
    };
    await asksAgain();
    await asksAgain();
    await hide(page, true);
    // It may be asking just now.
    await page.clock.runFor(2000);
    const { length } = asked;
    await page.clock.runFor(60_000);
    assert.equal(asked.length, length);
    await hide(page, false);
    await asksAgain();
    await page.clock.resume();
    await close();
    await page.getByText("connecting again…").waitFor();
    await page.getByText("the program has ended").waitFor();
  });
});

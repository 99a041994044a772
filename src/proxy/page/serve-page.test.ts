import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import tls from "node:tls";
import { connect } from "../../index.ts";
import { type Answered, ask as asked } from "../../../test/inspect/asking.ts";
import { servedPage, type ServedProxies } from "../../../test/fixtures/served-page.ts";
import type { PageMessage } from "./wire.ts";

interface Scene extends ServedProxies {
  readonly token: string;
}

async function served(t: TestContext): Promise<Scene> {
  const scene = await servedPage(t);
  return { ...scene, token: new URL(scene.page.url).searchParams.get("token") ?? "" };
}

/** One request by its method and path. */
function ask(
  { page }: Scene,
  line: string,
  headers: Readonly<Record<string, string>>,
  body?: unknown,
): Promise<Answered> {
  const [method = "GET", path = "/"] = line.split(" ");
  return asked(page.url, path, { method, headers, token: null, body });
}

const PATHS = [
  "/",
  "/proxy.js",
  "/proxy.css",
  "/events",
  "/proxies/echo",
  "/proxies/echo/faults",
  "/proxies/echo/faults/1",
  "/recording",
  "/plays",
  "/schedule.json",
  "/capture.pcapng",
  "/nothing",
];
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

test("whoever has no token, another host or another origin gets 403 everywhere", async (t) => {
  const scene = await served(t);
  const { running, token, page } = scene;
  const has = { "x-zocalo-token": token };
  const foreign = [
    {},
    { "x-zocalo-token": `${token}x` },
    { ...has, host: "evil.example" },
    { ...has, host: `evil.example:${new URL(page.url).port}` },
    { ...has, origin: "http://evil.example" },
    { ...has, origin: "null" },
    { ...has, origin: "http://localhost:3000" },
    { ...has, "sec-fetch-site": "cross-site" },
  ];
  for (const path of PATHS) {
    for (const method of METHODS) {
      for (const headers of foreign) {
        const { status, text } = await ask(scene, `${method} ${path}`, headers);
        assert.equal(status, 403, `${method} ${path} ${JSON.stringify(headers)}`);
        assert.ok(!text.includes(token));
      }
    }
  }
  const link = `/proxies/echo/faults?token=${token}`;
  assert.equal((await ask(scene, `POST ${link}`, {}, { kind: "reset", from: "*", to: "*" })).status, 403);
  assert.deepEqual(running.proxies.get("echo")?.faults, []);
});

test("the page has its parts, and may load nothing else", async (t) => {
  const scene = await served(t);
  const page = await ask(scene, `GET /?token=${scene.token}`, { "accept-language": "es-MX,en;q=0.5" });
  assert.equal(page.status, 200);
  assert.match(page.text, /<html lang="es">/);
  assert.match(String(page.headers["content-security-policy"]), /default-src 'none'; script-src 'self'/);
  for (const [, part = ""] of page.text.matchAll(/(?:src|href)="(proxy[^"]+)"/g)) {
    const { status, headers, text } = await ask(scene, `GET /${part}`, {});
    assert.equal(status, 200, part);
    assert.match(String(headers["content-type"]), /^text\/(?:javascript|css); charset=utf-8$/);
    assert.ok(text.length > 1000);
  }
});

test("faults begin, change and end", async (t) => {
  const scene = await served(t);
  const echo = scene.running.proxies.get("echo");
  const has = { "x-zocalo-token": scene.token };
  const begun = await ask(scene, "POST /proxies/echo/faults", has, { kind: "latency", from: "*", to: "*", latency: 5 });
  assert.equal(begun.status, 201);
  const { id } = JSON.parse(begun.text) as { readonly id: number };
  const other = { kind: "loss", from: "client", to: "server", chance: 0.5 };
  const changed = await ask(scene, `PUT /proxies/echo/faults/${id}`, has, other);
  assert.deepEqual([changed.status, echo?.faults], [200, [other]]);
  assert.equal((await ask(scene, `DELETE /proxies/echo/faults/${id}`, has)).status, 404);
  const { id: next } = JSON.parse(changed.text) as { readonly id: number };
  const refused = await ask(scene, `PUT /proxies/echo/faults/${next}`, has, { ...other, chance: 2 });
  assert.equal(refused.status, 400);
  assert.match(refused.text, /probability/);
  assert.deepEqual(echo?.faults, [other]);
  assert.equal((await ask(scene, `DELETE /proxies/echo/faults/${next}`, has)).status, 200);
  assert.deepEqual(echo?.faults, []);
});

test("a fault can be changed where as many act as there may be", async (t) => {
  const scene = await served(t);
  const echo = scene.running.proxies.get("echo");
  const has = { "x-zocalo-token": scene.token };
  const fault = { kind: "latency", from: "*", to: "*", latency: 5 } as const;
  for (let count = 1; count < 1000; count += 1) echo?.inflict(fault);
  const { text } = await ask(scene, "POST /proxies/echo/faults", has, fault);
  assert.equal((await ask(scene, "POST /proxies/echo/faults", has, fault)).status, 400);
  const { id } = JSON.parse(text) as { readonly id: number };
  const changed = { ...fault, latency: 6 };
  assert.equal((await ask(scene, `PUT /proxies/echo/faults/${id}`, has, changed)).status, 200);
  assert.deepEqual([echo?.faults.length, echo?.faults.at(-1)], [1000, changed]);
});

test("a fault that the program began can be ended too", async (t) => {
  const scene = await served(t);
  const guard = scene.running.inflict({ kind: "latency", from: "*", to: "*", latency: 5 });
  const [, state] = await messages(scene, 2);
  assert.ok(state?.type === "state");
  assert.deepEqual(
    state.proxies.map(({ name, faults }) => [name, faults.length]),
    [
      ["echo", 1],
      ["my mail", 1],
    ],
  );
  for (const { name, faults } of state.proxies) {
    const path = `/proxies/${encodeURIComponent(name)}/faults/${faults[0]?.id}`;
    assert.equal((await ask(scene, `DELETE ${path}`, { "x-zocalo-token": scene.token })).status, 200);
  }
  guard.heal();
  for (const { faults } of scene.running.proxies.values()) assert.deepEqual(faults, []);
});

test("what makes no sense is said, and changes nothing", async (t) => {
  const scene = await served(t);
  const has = { "x-zocalo-token": scene.token };
  for (const [line, body, status, error] of [
    ["POST /proxies/my%20mail/faults", { kind: "reset", from: "*", to: "*" }, 400, /no fault of a proxy of datagrams/],
    ["POST /proxies/echo/faults", { kind: "lag" }, 400, /kind/],
    ["POST /proxies/echo/faults", "{", 400, /JSON/],
    ["POST /proxies/echo/faults", "null", 400, /fault/],
    ["POST /proxies/echo/faults", "[".repeat(1_100_000), 413, /longer than/],
    ["POST /proxies/nobody/faults", {}, 404, /no such/],
    ["POST /proxies/%/faults", {}, 404, /there is no such path/],
    ["POST /proxies/echo", { enabled: 3 }, 400, /enabled/],
    ["POST /proxies/echo", { upstream: "tcp://192.0.2.1:1" }, 400, /loopback/],
    ["GET /proxies/echo", undefined, 405, /POST/],
    ["PATCH /proxies/echo/faults", {}, 405, /POST/],
    ["GET /proxies/echo/faults/1", undefined, 405, /PUT, DELETE/],
    ["POST /events", {}, 405, /GET/],
    ["POST /", {}, 404, /no such/],
    ["POST /recording", { epochMs: 1e300 }, 400, /epochMs/],
    ["POST /recording", "null", 400, /options must be/],
    ["POST /plays", {}, 400, /format/],
    ["POST /plays", undefined, 404, /nothing was recorded/],
    ["GET /schedule.json", undefined, 404, /nothing was recorded/],
    ["GET /capture.pcapng", undefined, 404, /nothing was recorded/],
  ] as const) {
    const reply = await ask(scene, line, has, body);
    assert.equal(reply.status, status, `${line} ${reply.text.slice(0, 200)}`);
    assert.match(reply.text, error);
  }
  for (const { faults, enabled } of scene.running.proxies.values()) assert.deepEqual([faults, enabled], [[], true]);
});

/** The first messages of the events. */
async function messages(
  { page, token }: Scene,
  count: number,
  query = "",
  begun = (): void => undefined,
): Promise<readonly PageMessage[]> {
  const abort = new AbortController();
  const answer = await fetch(new URL(`/events?token=${token}${query}`, page.url), { signal: abort.signal });
  const all: PageMessage[] = [];
  let text = "";
  for await (const piece of answer.body as AsyncIterable<Uint8Array>) {
    text += new TextDecoder().decode(piece);
    const lines = text.split("\n\n");
    text = lines.pop() ?? "";
    for (const line of lines) if (line.startsWith("data: ")) all.push(JSON.parse(line.slice(6)) as PageMessage);
    if (all.length >= count) break;
    begun();
  }
  abort.abort();
  return all.slice(0, count);
}

test("a page hears of what is there, and of what changes", async (t) => {
  const scene = await served(t);
  const echo = scene.running.proxies.get("echo");
  await using call = await connect(echo?.listen ?? "");
  await call.write("hola");
  await call.readExactly(4);
  const [pulse, state, second] = await messages(scene, 3);
  assert.ok(state?.type === "state" && pulse?.type === "pulse" && second?.type === "pulse");
  assert.deepEqual(pulse.bytes["echo"], [4, 4]);
  const [row] = pulse.connections;
  assert.deepEqual([row?.proxy, row?.number, row?.bytesToServer, row?.bytesToClient], ["echo", 1, 4, 4]);
  assert.ok(second.nowMs >= pulse.nowMs);
});

test("what programs say is told of the selected connection alone", async (t) => {
  const scene = await served(t);
  const echo = scene.running.proxies.get("echo");
  const canary = "<img src=x onerror=alert(1)>";
  const [one, other] = [await connect(echo?.listen ?? ""), await connect(echo?.listen ?? "")];
  t.after(() => [one, other].forEach((call) => call.abort()));
  const listening = [messages(scene, 12), messages(scene, 12, "&proxy=echo&connection=2")];
  const over = new AbortController();
  const talking = (async () => {
    while (!over.signal.aborted) {
      for (const call of [one, other]) {
        await call.write(call === one ? "the first one" : canary);
        await call.read();
      }
    }
  })();
  const [all, second] = await Promise.all(listening);
  over.abort();
  await talking;
  assert.ok(all?.every(({ type }) => type !== "flow"));
  const rows = second?.flatMap((message) => (message.type === "flow" ? message.rows : [])) ?? [];
  const texts = new Set(rows.map(({ bytes = "" }) => String(Buffer.from(bytes, "base64"))));
  assert.deepEqual(texts, new Set([canary]));
  // It stands in the stream as base64: no byte of it means anything there.
  assert.ok(!JSON.stringify(second).includes("<img"));
});

test("a recording is a schedule and a capture, and can be played", async (t) => {
  const scene = await served(t);
  const has = { "x-zocalo-token": scene.token };
  const echo = scene.running.proxies.get("echo");
  assert.equal((await ask(scene, "POST /recording", has, { epochMs: 1_700_000_000_000 })).status, 201);
  await ask(scene, "POST /proxies/echo/faults", has, { kind: "latency", from: "*", to: "*", latency: 1 });
  await using call = await connect(echo?.listen ?? "");
  await call.write("hola");
  await call.readExactly(4);
  const [, state] = await messages(scene, 2);
  assert.ok(state?.type === "state");
  await ask(scene, `DELETE /proxies/echo/faults/${state.proxies[0]?.faults[0]?.id}`, has);
  assert.equal((await ask(scene, "DELETE /recording", has)).status, 200);
  const schedule = await ask(scene, `GET /schedule.json?token=${scene.token}`, {});
  assert.match(String(schedule.headers["content-disposition"]), /attachment/);
  const { faults } = JSON.parse(schedule.text) as { readonly faults: readonly { readonly kind: string }[] };
  assert.deepEqual(
    faults.map(({ kind }) => kind),
    ["latency"],
  );
  const capture = await fetch(new URL(`/capture.pcapng?token=${scene.token}`, scene.page.url));
  const bytes = Buffer.from(await capture.arrayBuffer());
  assert.equal(bytes.readUInt32BE(), 0x0a0d0d0a);
  assert.ok(bytes.includes("hola"));
  assert.equal((await ask(scene, "POST /plays", has)).status, 201);
  assert.deepEqual(
    scene.running.plays.map((play) => play.schedule.faults.length),
    [1],
  );
  assert.equal((await ask(scene, "DELETE /plays", has)).status, 200);
  assert.equal(scene.running.plays.length, 0);
});

test("the name of the server in a TLS hello stands beside its connection", async (t) => {
  const scene = await served(t);
  const echo = scene.running.proxies.get("echo");
  let socket: tls.TLSSocket | undefined;
  const connectOnce = (): void => {
    const to = { host: "127.0.0.1", port: echo?.listen.port ?? 0, servername: "db.example.org" };
    socket ??= tls.connect(to).on("error", () => undefined);
  };
  t.after(() => socket?.destroy());
  const rows = (await messages(scene, 8, "", connectOnce)).flatMap((message) =>
    message.type === "pulse" ? message.connections : [],
  );
  assert.ok(rows.some(({ serverName }) => serverName === "db.example.org"));
});

test("nothing is told to the page while nobody has it open", async (t) => {
  const scene = await served(t);
  const { running, page } = scene;
  const watch = running.watch.bind(running);
  let watched = 0;
  let left = (): void => undefined;
  const isLeft = new Promise<void>((resolve) => (left = resolve));
  running.watch = (listener) => {
    watched += 1;
    const stop = watch(listener);
    return () => {
      stop();
      left();
    };
  };
  assert.equal((await fetch(page.url)).status, 200);
  assert.equal(watched, 0);
  await messages(scene, 1);
  await isLeft;
  assert.equal(watched, 1);
});

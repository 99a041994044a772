import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { bind, connect, serve } from "../../src/index.ts";
import { call, connectSession, contract, serveSessions } from "../../src/protocol.ts";
import { inspectorPaths, inspect, type Inspector, type InspectOptions } from "../../src/inspect.ts";
import { ask, everyPath, listOf, METHODS } from "./asking.ts";

/* Every path, with every method, by everybody who could ask. */

const echo = contract("echo", "1.0.0", { server: { echo: call<string, string>(), wait: call<void, void>() } });

/** A program with one of everything, which is closed behind the test. */
async function program(t: TestContext, options: InspectOptions = {}): Promise<Program> {
  const inspector = await inspect(options);
  t.after(() => inspector.close());
  const server = await serveSessions(echo, "tcp://127.0.0.1:0", {
    handlers: {
      echo: (text) => text,
      wait: (_input, { signal }) => new Promise((done) => signal.addEventListener("abort", () => done())),
    },
  });
  t.after(() => server.close({ timeoutMs: 0 }));
  const session = await connectSession(echo, server.localAddress, { reconnect: { initialDelayMs: 1 } });
  t.after(() => session.abort());
  assert.equal(await session.remote.echo("hola"), "hola");
  const plain = await serve("tcp://127.0.0.1:0", async (peer) => void (await peer.read()));
  t.after(() => plain.close({ timeoutMs: 0 }));
  const connection = await connect(plain.localAddress);
  t.after(() => connection.abort());
  const box = await bind("udp://127.0.0.1:0");
  t.after(() => box.close());
  return { inspector, url: inspector.url, server, session, plain, connection, box };
}

interface Program {
  readonly inspector: Inspector;
  readonly url: string;
  readonly server: {
    readonly sessions: ReadonlyMap<string, unknown>;
    readonly localAddress: unknown;
    readonly draining: AbortSignal;
    readonly stats: unknown;
  };
  readonly session: Awaited<ReturnType<typeof connectSession<typeof echo.server>>>;
  readonly plain: { readonly draining: AbortSignal; readonly localAddress: unknown; readonly stats: unknown };
  readonly connection: {
    readonly signal: AbortSignal;
    readonly remoteAddress: unknown;
    readonly bytesReceived: number;
  };
  readonly box: { readonly localAddress: unknown };
}

test("no method of any path changes anything, and only GET answers", async (t) => {
  const made = await program(t);
  const { url, server, plain, connection, session } = made;
  // The other server has no sessions.
  const other = (await listOf(url, "/servers", "servers")).find(({ kind }) => kind !== "sessions")?.["id"];
  const others = new Set(["sessions", "heat"].map((list) => `/servers/${String(other)}/${list}`));
  const before = [server.stats, plain.stats, session.state, connection.bytesReceived];
  for (const path of await everyPath(url)) {
    for (const method of METHODS) {
      const token = new URL(url).searchParams.get("token") as string;
      const { status } = await ask(url, path, { method, headers: { "x-zocalo-token": token } });
      const action = /\/(?:disconnect|drain)$/.test(path);
      const read = others.has(path) ? 404 : 200;
      const wanted = action ? (method === "POST" ? 403 : 405) : method === "GET" ? read : 405;
      assert.equal(status, wanted, `${method} ${path}`);
    }
  }
  assert.ok(!server.draining.aborted && !plain.draining.aborted && !connection.signal.aborted);
  assert.deepEqual([server.stats, plain.stats, session.state, connection.bytesReceived], before);
  assert.equal(await session.remote.echo("still"), "still");
});

test("whoever has no token, another host or another origin gets 403 everywhere", async (t) => {
  const made = await program(t, { allow: ["disconnect", "drain"] });
  const { url, server, plain, connection, session } = made;
  const token = new URL(url).searchParams.get("token") as string;
  const withToken = { "x-zocalo-token": token };
  const foreign = [
    { token: null },
    { token: token.slice(1) },
    { token: null, headers: { "x-zocalo-token": `${token}x` } },
    { headers: { ...withToken, host: "evil.example" } },
    { headers: { ...withToken, host: `evil.example:${new URL(url).port}` } },
    { headers: { ...withToken, origin: "http://evil.example" } },
    { headers: { ...withToken, origin: "null" } },
    { headers: { ...withToken, "sec-fetch-site": "cross-site" } },
  ];
  // The socket needs no token; a browser that reached it would say another host or origin all the same.
  const file = `unix:${String(inspectorPaths(String(process.pid))[0])}`;
  for (const path of [...(await everyPath(url)), "/inspect.js", "/inspect.css", "/nothing"]) {
    for (const method of METHODS) {
      for (const [door, questions] of [
        [url, foreign],
        [file, foreign.slice(3)],
      ] as const) {
        for (const question of questions) {
          const { status, text } = await ask(door, path, { method, ...question });
          assert.equal(status, 403, `${method} ${path} ${JSON.stringify(question)}`);
          assert.ok(!text.includes(token));
        }
      }
    }
  }
  assert.ok(!server.draining.aborted && !plain.draining.aborted && !connection.signal.aborted);
  assert.equal(session.state, "open");
});

test("a browser gets the page, with nothing from elsewhere, and a program the list of paths", async (t) => {
  const { url } = await program(t);
  const page = await ask(url, "/", { headers: { accept: "text/html,*/*;q=0.8" } });
  assert.equal(page.headers["content-type"], "text/html; charset=utf-8");
  assert.match(String(page.headers["content-security-policy"]), /^default-src 'none'; script-src 'self'; /);
  for (const [path, type] of [
    ["/inspect.js", "text/javascript; charset=utf-8"],
    ["/inspect.css", "text/css; charset=utf-8"],
    ["/", "application/json; charset=utf-8"],
  ] as const) {
    const { status, headers } = await ask(url, path);
    assert.deepEqual([status, headers["content-type"]], [200, type], path);
  }
});

test("a token in the address changes nothing: a link can have it", async (t) => {
  const made = await program(t, { allow: ["drain"] });
  const [server] = await listOf(made.url, "/servers", "servers");
  const { status } = await ask(made.url, `/servers/${String(server?.["id"])}/drain`, { method: "POST" });
  assert.equal(status, 403);
  assert.ok(!made.server.draining.aborted);
});

test("what is allowed by name is done, and nothing else", async (t) => {
  const made = await program(t, { allow: ["disconnect"] });
  const { url, session, plain, connection } = made;
  const headers = { "x-zocalo-token": new URL(url).searchParams.get("token") as string };
  const own = (await listOf(url, "/sessions", "sessions")).find(({ side }) => side === "client");
  const resumed = new Promise<void>((resolve) => {
    const look = setInterval(() => {
      if (session.stats.roundTripMs !== undefined || session.state !== "open") return;
      clearInterval(look);
      resolve();
    }, 1);
  });
  const cut = await ask(url, `/sessions/${String(own?.["id"])}/disconnect`, { method: "POST", headers });
  assert.deepEqual([cut.status, JSON.parse(cut.text)], [202, { id: own?.["id"], disconnected: true }]);
  await resumed;
  assert.equal(await session.remote.echo("again"), "again");
  const remote = String(connection.remoteAddress);
  const open = (await listOf(url, "/connections", "connections")).find((one) => one["remote"] === remote);
  const ended = new Promise((resolve) => connection.signal.addEventListener("abort", resolve));
  assert.equal(
    (await ask(url, `/connections/${String(open?.["id"])}/disconnect`, { method: "POST", headers })).status,
    202,
  );
  await ended;
  const [server] = await listOf(url, "/servers", "servers");
  assert.equal((await ask(url, `/servers/${String(server?.["id"])}/drain`, { method: "POST", headers })).status, 403);
  assert.ok(!plain.draining.aborted && !made.server.draining.aborted);
});

test("drain closes a server in order", async (t) => {
  const made = await program(t, { allow: ["drain"] });
  const headers = { "x-zocalo-token": new URL(made.url).searchParams.get("token") as string };
  const address = String(made.plain.localAddress);
  const server = (await listOf(made.url, "/servers", "servers")).find((one) => one["address"] === address);
  assert.equal(
    (await ask(made.url, `/servers/${String(server?.["id"])}/drain`, { method: "POST", headers })).status,
    202,
  );
  assert.ok(made.plain.draining.aborted && !made.server.draining.aborted);
});

test("the metrics are those of all servers, each family once", async (t) => {
  const { url, server, plain } = await program(t);
  const { status, headers, text } = await ask(url, "/metrics");
  assert.equal(status, 200);
  assert.equal(headers["content-type"], "application/openmetrics-text; version=1.0.0; charset=utf-8");
  const types = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
  assert.deepEqual(types, [...new Set(types)]);
  for (const { localAddress } of [server, plain]) assert.ok(text.includes(`server="${String(localAddress)}"`));
  assert.ok(text.endsWith("# EOF\n"));
});

test("what makes no sense is an error of the question", async (t) => {
  const { url } = await program(t);
  for (const [path, status] of [
    ["/sessions?limit=0", 400],
    ["/sessions?limit=x", 400],
    ["/sessions?after=x", 400],
    ["/sessions?sort=name", 400],
    // What every object has is no order either.
    ["/sessions?sort=constructor", 400],
    ["/sessions?sort=__proto__", 400],
    ["/sessions?cell=99,0", 400],
    ["/servers/999999/heat", 404],
    ["/connections?after=1:2:3", 400],
    ["/sessions/999999", 404],
    ["/sessions/999999/events", 404],
    ["/servers/999999/sessions", 404],
    ["/servers/-1", 404],
    ["/sessions/1e3", 404],
    ["/sessions/", 404],
    ["//", 404],
    ["/%2e%2e/servers", 404],
  ] as const) {
    const answer = await ask(url, path);
    assert.equal(answer.status, status, path);
    assert.equal(typeof (JSON.parse(answer.text) as { error: unknown }).error, "string");
  }
});

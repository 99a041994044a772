import assert from "node:assert/strict";
import { request } from "node:http";
import { after, before, describe, it } from "node:test";
import type { FaultProxies } from "../public.ts";
import { startProxy } from "../start-proxy.ts";
import { type ServedApi, serveApi } from "./serve-api.ts";

const UPSTREAM = "127.0.0.1:9";

interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** One request, with whatever headers and body. */
async function ask(
  api: ServedApi,
  line: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Reply> {
  const [method = "GET", path = "/"] = line.split(" ");
  return await new Promise((resolve, reject) => {
    const sent = request(api.url + path, { method, headers: { "user-agent": "test", ...headers } }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (piece: string) => (text += piece));
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, type: response.headers["content-type"] ?? "", body: text });
      });
    });
    sent.on("error", reject);
    sent.end(typeof body === "string" || body === undefined ? body : JSON.stringify(body));
  });
}

/** Whatever stands in an answer: of a proxy, a toxic, a list of proxies, an error. */
interface Body {
  readonly version: string;
  readonly seed: number;
  readonly name: string;
  readonly listen: string;
  readonly upstream: string;
  readonly enabled: boolean;
  readonly toxics: readonly unknown[];
  readonly stream: string;
  readonly proxies: readonly Body[];
  readonly error: string;
  readonly status: number;
}

/** The status and the JSON of an answer. */
async function json(api: ServedApi, line: string, body?: unknown): Promise<readonly [status: number, body: Body]> {
  const reply = await ask(api, line, body);
  return [reply.status, (reply.body === "" ? undefined : JSON.parse(reply.body)) as Body];
}

describe("the calls of Toxiproxy", () => {
  let running: FaultProxies;
  let api: ServedApi;
  before(async () => {
    running = await startProxy({ seed: 7 });
    api = await serveApi(running, "127.0.0.1:0");
  });
  after(async () => {
    await api.close();
    await running.close({ timeoutMs: 0 });
  });

  it("says its version", async () => {
    const [status, { version, seed }] = await json(api, "GET /version");
    assert.equal(status, 200);
    assert.match(version, /^2\./);
    assert.equal(seed, 7);
  });

  it("makes, shows, changes and deletes a proxy, with its real port", async () => {
    assert.deepEqual(await json(api, "GET /proxies"), [200, {}]);
    const [status, made] = await json(api, "POST /proxies", { name: "db", listen: "127.0.0.1:0", upstream: UPSTREAM });
    assert.equal(status, 201);
    assert.match(made.listen, /^127\.0\.0\.1:[1-9]\d*$/);
    assert.deepEqual(
      { ...made, listen: "" },
      { name: "db", listen: "", upstream: UPSTREAM, enabled: true, toxics: [] },
    );
    assert.deepEqual(await json(api, "GET /proxies"), [200, { db: made }]);
    assert.deepEqual(await json(api, "GET /proxies/db"), [200, made]);
    assert.deepEqual(await json(api, "POST /proxies/db", { enabled: false }), [200, { ...made, enabled: false }]);
    assert.deepEqual(await json(api, "PATCH /proxies/db", { upstream: "127.0.0.1:8" }), [
      200,
      { ...made, upstream: "127.0.0.1:8", enabled: false },
    ]);
    assert.deepEqual(await json(api, "POST /reset"), [204, undefined]);
    assert.equal((await json(api, "GET /proxies/db"))[1].enabled, true);
    assert.deepEqual(await json(api, "DELETE /proxies/db"), [204, undefined]);
    assert.deepEqual(await json(api, "GET /proxies/db"), [404, { error: "proxy not found", status: 404 }]);
  });

  it("adds, shows, changes and removes toxics, with their defaults", async () => {
    await json(api, "POST /proxies", { name: "db", upstream: UPSTREAM });
    const latency = { name: "latency_downstream", type: "latency", stream: "downstream", toxicity: 1 };
    const [status, added] = await json(api, "POST /proxies/db/toxics", { type: "latency", attributes: { latency: 9 } });
    assert.deepEqual([status, added], [200, { ...latency, attributes: { latency: 9, jitter: 0 } }]);
    const up = { type: "slow_close", stream: "Upstream", name: "slow", attributes: { delay: 3 }, toxicity: 0.5 };
    assert.equal((await json(api, "POST /proxies/db/toxics", up))[1].stream, "upstream");
    const [, list] = await json(api, "GET /proxies/db/toxics");
    assert.deepEqual(
      (list as unknown as readonly Body[]).map(({ name }) => name),
      ["slow", "latency_downstream"],
    );
    const change = { attributes: { jitter: 2 }, toxicity: 0.1, name: "other", stream: "upstream" };
    const changed = { ...latency, attributes: { latency: 9, jitter: 2 }, toxicity: 0.1 };
    assert.deepEqual(await json(api, "PATCH /proxies/db/toxics/latency_downstream", change), [200, changed]);
    assert.deepEqual(await json(api, "GET /proxies/db/toxics/latency_downstream"), [200, changed]);
    assert.deepEqual(await json(api, "DELETE /proxies/db/toxics/slow"), [204, undefined]);
    assert.equal(running.proxies.get("db")?.faults.length, 1);
    await json(api, "POST /reset");
    assert.deepEqual(await json(api, "GET /proxies/db/toxics"), [200, []]);
    assert.equal(running.proxies.get("db")?.faults.length, 0);
    await json(api, "DELETE /proxies/db");
  });

  const TYPES = {
    latency: { latency: 100, jitter: 10 },
    bandwidth: { rate: 100 },
    slow_close: { delay: 100 },
    timeout: { timeout: 100 },
    reset_peer: { timeout: 0 },
    slicer: { average_size: 10, size_variation: 5, delay: 1000 },
    limit_data: { bytes: 1000 },
    packet_loss: { loss_rate: 0.5, correlation: 0.2 },
  };
  for (const [type, attributes] of Object.entries(TYPES)) {
    it(`takes ${type} in both directions`, async () => {
      await json(api, "POST /proxies", { name: type, upstream: UPSTREAM });
      for (const stream of ["upstream", "downstream"]) {
        const expected = { attributes, name: `${type}_${stream}`, type, stream, toxicity: 1 };
        assert.deepEqual(await json(api, `POST /proxies/${type}/toxics`, { type, stream, attributes }), [
          200,
          expected,
        ]);
      }
      assert.equal(running.proxies.get(type)?.faults.length, 2);
      await json(api, `DELETE /proxies/${type}`);
    });
  }

  it("forgets a toxic whose fault was ended elsewhere, and keeps one that has none", async () => {
    await json(api, "POST /proxies", { name: "ended", upstream: UPSTREAM });
    await json(api, "POST /proxies/ended/toxics", { type: "latency", attributes: { latency: 5 } });
    await json(api, "POST /proxies/ended/toxics", { type: "slicer" });
    const proxy = running.proxies.get("ended");
    const [fault] = proxy?.faults ?? [];
    assert.ok(proxy !== undefined && fault !== undefined && proxy.heal(fault));
    const [, toxics] = await json(api, "GET /proxies/ended/toxics");
    assert.deepEqual(
      (toxics as unknown as readonly Body[]).map(({ name }) => name),
      ["slicer_downstream"],
    );
    assert.equal((await json(api, "DELETE /proxies/ended/toxics/latency_downstream"))[0], 404);
    assert.equal((await json(api, "POST /proxies/ended/toxics", { type: "latency" }))[0], 200);
    await ask(api, "DELETE /proxies/ended");
  });

  it("populates: equal proxies stay with their toxics, others are replaced", async () => {
    const list = [
      { name: "a", listen: "127.0.0.1:0", upstream: UPSTREAM },
      { name: "b", listen: "127.0.0.1:0", upstream: UPSTREAM, enabled: false },
    ];
    const [status, { proxies }] = await json(api, "POST /populate", list);
    assert.equal(status, 201);
    assert.deepEqual(
      proxies.map(({ name, enabled }) => [name, enabled]),
      [
        ["a", true],
        ["b", false],
      ],
    );
    await json(api, "POST /proxies/a/toxics", { type: "latency" });
    await json(api, "POST /proxies/b/toxics", { type: "latency" });
    const again = [proxies[0], { ...proxies[1], upstream: "127.0.0.1:8" }];
    const [, second] = await json(api, "POST /populate", again);
    const counts = second.proxies.map(({ toxics }) => toxics.length);
    assert.deepEqual(counts, [1, 0]);
    for (const name of ["a", "b"]) await json(api, `DELETE /proxies/${name}`);
  });

  it("names a datagram proxy by its scheme", async () => {
    const wanted = { name: "dns", listen: "udp://127.0.0.1:0", upstream: "udp://127.0.0.1:9" };
    const [, { listen, upstream }] = await json(api, "POST /proxies", wanted);
    assert.match(listen, /^udp:\/\/127\.0\.0\.1:\d+$/);
    assert.equal(upstream, "udp://127.0.0.1:9");
    assert.equal(
      (await json(api, "POST /proxies/dns/toxics", { type: "slicer", attributes: { average_size: 1 } }))[0],
      400,
    );
    assert.equal((await json(api, "POST /proxies/dns/toxics", { type: "packet_loss" }))[0], 200);
    await json(api, "DELETE /proxies/dns");
  });

  it("has figures that Prometheus reads", async () => {
    await json(api, "POST /proxies", { name: 'd"b', upstream: UPSTREAM });
    const { status, body } = await ask(api, "GET /metrics");
    assert.equal(status, 200);
    assert.match(body, /^# TYPE toxiproxy_proxy_received_bytes_total counter$/m);
    assert.match(
      body,
      /^toxiproxy_proxy_sent_bytes_total\{direction="downstream",listener="[^"]+",proxy="d\\"b",upstream="127\.0\.0\.1:9"\} 0$/m,
    );
    await json(api, "DELETE /proxies/d%22b");
  });

  const REFUSED: readonly (readonly [line: string, body: unknown, status: number, error: string | RegExp])[] = [
    ["POST /proxies", { upstream: UPSTREAM }, 400, "missing required field: name"],
    ["POST /proxies", { name: "x" }, 400, "missing required field: upstream"],
    ["POST /proxies", { name: "there", upstream: UPSTREAM }, 409, "proxy already exists"],
    ["POST /proxies", "{", 400, /^bad request body: /],
    ["POST /proxies", undefined, 400, "bad request body: EOF"],
    ["POST /proxies", [], 400, /^bad request body: /],
    ["POST /proxies", { name: "x", upstream: UPSTREAM, enabled: 1 }, 400, /enabled/],
    ["POST /proxies", { name: "x", upstream: "192.0.2.1:80" }, 400, /loopback/],
    ["POST /proxies", { name: "x", upstream: "no port" }, 400, /port/],
    ["GET /proxies/none", undefined, 404, "proxy not found"],
    ["POST /proxies/none", {}, 404, "proxy not found"],
    ["DELETE /proxies/none", undefined, 404, "proxy not found"],
    ["GET /proxies/none/toxics", undefined, 404, "proxy not found"],
    ...[".", "..", "a/b", "\ud83d"].map((name): (typeof REFUSED)[number] => {
      return ["POST /proxies", { name, upstream: UPSTREAM }, 400, /^bad request body: name must be a text/];
    }),
    ["POST /proxies", { name: "", upstream: UPSTREAM }, 400, "missing required field: name"],
    ["POST /proxies", { name: "x", upstream: "127.0.0.1:0" }, 400, /upstream must have a port from 1 on/],
    ["POST /proxies", { name: "x", listen: UPSTREAM, upstream: UPSTREAM }, 400, /upstream .* leads back to/],
    [
      "POST /populate",
      [
        { name: "x", upstream: UPSTREAM },
        { name: "..", upstream: UPSTREAM },
      ],
      400,
      /name must be/,
    ],
    ["POST /proxies/there/toxics", { type: "latency", name: ".." }, 400, /^bad request body: name must be a text/],
    ["POST /proxies/there/toxics", { type: "latency", name: "a/b" }, 400, /^bad request body: name must be a text/],
    [
      "POST /proxies/there/toxics",
      { type: "latency", name: "y", attributes: { latency: 1e300 } },
      400,
      /latency must be a number of milliseconds from 0 to/,
    ],
    ["POST /proxies/none/toxics", { type: "latency" }, 404, "proxy not found"],
    ["POST /proxies/there/toxics", { type: "latency", stream: "sideways" }, 400, /^stream was invalid, can be either/],
    ["POST /proxies/there/toxics", { type: "poison" }, 400, "invalid toxic type"],
    ["POST /proxies/there/toxics", { type: "constructor" }, 400, "invalid toxic type"],
    ["POST /proxies/there/toxics", { type: "latency", name: "slow" }, 409, "toxic already exists"],
    ["POST /proxies/there/toxics", { type: "latency", name: "y", attributes: { delay: 1 } }, 400, /latency, jitter/],
    [
      "POST /proxies/there/toxics",
      { type: "latency", name: "y", attributes: { latency: "1" } },
      400,
      /latency must be/,
    ],
    ["POST /proxies/there/toxics", { type: "latency", name: "y", toxicity: 2 }, 400, /toxicity/],
    ["GET /proxies/there/toxics/none", undefined, 404, "toxic not found"],
    ["PATCH /proxies/there/toxics/none", {}, 404, "toxic not found"],
    ["DELETE /proxies/there/toxics/none", undefined, 404, "toxic not found"],
    ["POST /populate", {}, 400, /^bad request body: /],
    ["POST /populate", [{ upstream: UPSTREAM }], 400, "missing required field: name at proxy 1"],
    ["POST /populate", [{ name: "x" }], 400, "missing required field: upstream at proxy 1"],
  ];
  it("refuses what makes no sense, in the words of Toxiproxy, and changes nothing", async () => {
    await json(api, "POST /proxies", { name: "there", upstream: UPSTREAM });
    await json(api, "POST /proxies/there/toxics", { type: "latency", name: "slow" });
    const earlier = await json(api, "GET /proxies");
    for (const [line, body, status, error] of REFUSED) {
      const [answered, { error: told, status: said }] = await json(api, line, body);
      assert.deepEqual([answered, said], [status, status], `${line} ${JSON.stringify(body)}`);
      if (typeof error === "string") assert.equal(told, error);
      else assert.match(told, error);
    }
    assert.deepEqual(await json(api, "GET /proxies"), earlier);
    await json(api, "DELETE /proxies/there");
  });

  it("changes a toxic where as many faults act as there may be, and refuses one more", async () => {
    const few = await startProxy({
      limits: { maxFaults: 1 },
      proxies: [{ name: "db", upstream: `tcp://${UPSTREAM}` }],
    });
    const own = await serveApi(few, "127.0.0.1:0");
    try {
      assert.equal(
        (await json(own, "POST /proxies/db/toxics", { type: "latency", attributes: { latency: 1 } }))[0],
        200,
      );
      const [status] = await json(own, "POST /proxies/db/toxics/latency_downstream", { attributes: { latency: 2 } });
      const faults = few.proxies.get("db")?.faults;
      assert.deepEqual([status, faults], [200, [{ kind: "latency", from: "server", to: "client", latency: 2 }]]);
      // Without a size it slices nothing.
      const slicer = { attributes: { average_size: 0, size_variation: 0, delay: 0 }, stream: "downstream" };
      const [, none] = await json(own, "POST /proxies/db/toxics", { type: "slicer" });
      assert.deepEqual(none, { ...slicer, name: "slicer_downstream", type: "slicer", toxicity: 1 });
      const change = { attributes: { average_size: 5 } };
      const [refused, { error }] = await json(own, "POST /proxies/db/toxics/slicer_downstream", change);
      assert.deepEqual([refused, /limits\.maxFaults is 1/.test(error)], [400, true], error);
      assert.deepEqual(await json(own, "GET /proxies/db/toxics/slicer_downstream"), [200, none]);
      assert.deepEqual(few.proxies.get("db")?.faults, faults);
    } finally {
      await own.close();
      await few.close({ timeoutMs: 0 });
    }
  });

  it("knows no other path or method", async () => {
    for (const line of [
      "GET /",
      "GET /nothing",
      "POST /version",
      "PUT /proxies",
      "GET /proxies/a/b",
      "GET /proxies/a/toxics/b/c",
      "GET /%zz",
    ]) {
      assert.deepEqual(await ask(api, line), {
        status: 404,
        type: "text/plain; charset=utf-8",
        body: "404 page not found\n",
      });
    }
  });

  it("refuses browsers, names that are not this machine's, and bodies without end", async () => {
    assert.equal((await ask(api, "GET /proxies", undefined, { "user-agent": "Mozilla/5.0" })).status, 403);
    assert.equal((await ask(api, "GET /proxies", undefined, { origin: "http://example.org" })).status, 403);
    assert.equal((await ask(api, "GET /proxies", undefined, { host: "evil.example:8474" })).status, 403);
    assert.equal((await ask(api, "GET /proxies", undefined, { host: "localhost:8474" })).status, 200);
    assert.equal((await ask(api, "POST /populate", "[".repeat(1_100_000))).status, 413);
  });
});

/** Programs of everyday talk to their servers through the fault proxy, without faults and with them. */

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { createClient, type RedisClientType } from "redis";
import { type FaultProxies, type ProxyDefinition, type ProxyFault, startProxy } from "../../src/proxy.ts";
import { finished, freePort, missing, started } from "../fixtures/programs.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

const BOTH = { from: "*", to: "*" } as const;
const LATE: ProxyFault = { kind: "latency", ...BOTH, latency: 3 };
/** So small that no answer of these programs comes whole. */
const SLICES: ProxyFault = { kind: "slicing", ...BOTH, averageBytes: 7, variationBytes: 6 };

/** Without faults, and with these. */
const networks = (...faults: readonly ProxyFault[]): readonly (readonly [string, readonly ProxyFault[]])[] => [
  ["without faults", []],
  [`with ${faults.map(({ kind }) => kind).join(" and ")}`, faults],
];

async function proxied(t: TestContext, ...proxies: readonly ProxyDefinition[]): Promise<FaultProxies> {
  const running = await startProxy({ seed: 1, proxies });
  t.after(() => running.close({ timeoutMs: 0 }));
  return running;
}

/** Starts a proxy of connections to a port; answers its own port. */
async function portTo(t: TestContext, port: number, faults: readonly ProxyFault[]): Promise<string> {
  const running = await proxied(t, { name: "main", upstream: `tcp://127.0.0.1:${port}`, faults });
  return String(running.proxies.get("main")?.listen.port);
}

interface Iperf {
  readonly end: {
    readonly sum_sent?: { readonly bytes: number };
    readonly sum?: { readonly packets: number; readonly lost_packets: number };
  };
}

describe("iperf3", { skip: missing("iperf3") }, () => {
  /** Runs it once. Its datagrams go to the port to which its connection for control goes. */
  const iperf = async (
    t: TestContext,
    faults: Readonly<Record<"tcp" | "udp", readonly ProxyFault[]>>,
    ...args: readonly string[]
  ): Promise<{ readonly end: Iperf["end"]; readonly running: FaultProxies }> => {
    const server = await freePort();
    await started(t, ["iperf3", "-s", "-1", "--forceflush", "-B", "127.0.0.1", "-p", `${server}`], /listening/);
    const running = await proxied(t, { name: "tcp", upstream: `tcp://127.0.0.1:${server}`, faults: faults.tcp });
    const port = running.proxies.get("tcp")?.listen.port;
    const [listen, upstream] = [port, server].map((number) => `udp://127.0.0.1:${number}`);
    await running.add({ name: "udp", listen, upstream: upstream ?? "", faults: faults.udp });
    const text = await finished(t, ["iperf3", "-J", "-c", "127.0.0.1", "-p", `${port}`, ...args]);
    return { end: (JSON.parse(text) as Iperf).end, running };
  };
  const BULK: ProxyFault = { kind: "slicing", ...BOTH, averageBytes: 1000, variationBytes: 500 };

  for (const [title, faults] of networks(LATE, BULK)) {
    for (const [way, words] of [
      ["to the server", []],
      ["from the server", ["-R"]],
    ] as const) {
      test(`TCP ${way}, ${title}`, async (t) => {
        const { end } = await iperf(t, { tcp: faults, udp: [] }, "-n", "2M", ...words);
        // What is received is not compared: the reader leaves when it is told that all is sent, with much under way.
        assert.ok((end.sum_sent?.bytes ?? 0) >= 2_097_152);
      });
    }
  }

  // So few and small that the buffers of all sockets hold them all, however busy the machine is.
  const FLOOD = ["-u", "-k", "200", "-b", "2M", "-l", "200"];

  test("UDP without faults: nothing is lost", async (t) => {
    const { end, running } = await iperf(t, { tcp: [], udp: [] }, ...FLOOD);
    assert.deepEqual([end.sum?.packets, end.sum?.lost_packets], [200, 0]);
    const { fromClient, toServer } = running.proxies.get("udp")?.bytes ?? {};
    assert.equal(fromClient, toServer);
  });

  test("UDP with latency and loss: it finds what the proxy says it has lost", async (t) => {
    const loss: ProxyFault = { kind: "loss", from: "client", to: "server", chance: 0.1 };
    const { end, running } = await iperf(t, { tcp: [], udp: [LATE, loss] }, ...FLOOD);
    const lost = running.report().faults["loss"] ?? 0;
    assert.ok(lost > 0);
    // Those lost or still under way at the end leave no gap that it could find.
    const found = end.sum?.lost_packets ?? 0;
    assert.ok(found > 0 && found <= lost, `${found} of ${lost}`);
  });
});

describe("redis", { skip: missing("redis-server", "redis-benchmark", "redis-cli") }, () => {
  /** Starts a server that keeps nothing; answers its port. */
  const redisServer = async (t: TestContext): Promise<number> => {
    const port = await freePort();
    const words = ["--bind", "127.0.0.1", "--port", `${port}`, "--save", "", "--dir", temporaryFolder(t)];
    await started(t, ["redis-server", ...words], /Ready to accept connections/);
    return port;
  };

  /** Connects the client library of Node. What breaks a connection is told to `errors`. */
  const clientOf = async (t: TestContext, port: string, errors: unknown[] = []): Promise<RedisClientType> => {
    const client: RedisClientType = createClient({ url: `redis://127.0.0.1:${port}` });
    client.on("error", (error) => errors.push(error));
    t.after(() => client.destroy());
    await client.connect();
    return client;
  };

  for (const [title, faults] of networks(LATE, SLICES)) {
    test(`redis-benchmark ${title}: the server has got every command, once`, async (t) => {
      const port = await redisServer(t);
      const through = await portTo(t, port, faults);
      const load = ["-n", "1000", "-c", "10", "-P", "4", "-d", "100", "-t", "set,get", "--csv"];
      const rates = await finished(t, ["redis-benchmark", "-p", through, ...load]);
      assert.match(rates, /"SET","[\d.]+"[^]*"GET","[\d.]+"/);
      const counts = await finished(t, ["redis-cli", "-p", `${port}`, "INFO", "commandstats"]);
      for (const name of ["set", "get"]) assert.match(counts, new RegExp(`cmdstat_${name}:calls=1000,`));
      const value = await finished(t, ["redis-cli", "-p", through, "GET", "key:__rand_int__"]);
      assert.match(value, /^[^\n]{100}\n$/);
    });

    test(`the client of Node ${title}: each answer belongs to its question, and a channel keeps its order`, async (t) => {
      const through = await portTo(t, await redisServer(t), faults);
      const [client, subscriber] = [await clientOf(t, through), await clientOf(t, through)];
      const numbers = Array.from({ length: 200 }, (_, index) => index);
      const wordOf = (index: number): string => "zócalo ".repeat(index % 40) + index;
      await Promise.all(numbers.map((index) => client.set(`word:${index}`, wordOf(index))));
      const words = await Promise.all(numbers.map((index) => client.get(`word:${index}`)));
      assert.deepEqual(words, numbers.map(wordOf));

      const heard: string[] = [];
      let done = (): void => undefined;
      const all = new Promise<void>((resolve) => (done = resolve));
      await subscriber.subscribe("plaza", (text) => {
        if (heard.push(text) === numbers.length) done();
      });
      await Promise.all(numbers.map((index) => client.publish("plaza", `${index}`)));
      await all;
      assert.deepEqual(heard, numbers.map(String));
    });
  }

  test("the client of Node tells of the question that broke with its connection, and goes on over another", async (t) => {
    const reset: ProxyFault = { kind: "reset", ...BOTH, when: { connections: "1", match: "question" } };
    const errors: unknown[] = [];
    const client = await clientOf(t, await portTo(t, await redisServer(t), [reset]), errors);
    await client.set("answer", "42");
    await assert.rejects(client.get("question"), Error);
    assert.equal(errors.length, 1);
    assert.equal(await client.get("question"), null);
    assert.equal(await client.get("answer"), "42");
  });
});

describe("mosquitto", { skip: missing("mosquitto", "mosquitto_pub", "mosquitto_sub") }, () => {
  const COUNT = 30;

  for (const [title, faults] of networks(LATE, SLICES)) {
    test(`QoS 2 ${title}: each message once, in order`, async (t) => {
      const port = await freePort();
      const file = join(temporaryFolder(t), "mosquitto.conf");
      await writeFile(file, `listener ${port} 127.0.0.1\nallow_anonymous true\n`);
      await started(t, ["mosquitto", "-v", "-c", file], /running/);
      const words = ["-p", await portTo(t, port, faults), "-q", "2", "-t", "plaza"];
      const member = ["mosquitto_sub", "-c", "-i", "ana", ...words] as const;
      // It subscribes and leaves; the broker keeps what comes for it.
      await finished(t, [...member, "-E"]);
      const numbers = Array.from({ length: COUNT }, (_, index) => `${index}\n`).join("");
      await finished(t, ["mosquitto_pub", "-l", ...words], { input: numbers });
      assert.equal(await finished(t, [...member, "-C", `${COUNT}`]), numbers);
    });
  }
});

describe("DNS", { skip: missing("dnsmasq", "dig") }, () => {
  /** Starts a server that knows one name, and proxies to it; answers a question over each kind of socket. */
  const dns = async (
    t: TestContext,
    faults: Readonly<Record<"tcp" | "udp", readonly ProxyFault[]>>,
  ): Promise<Readonly<Record<"tcp" | "udp", () => Promise<string>>>> => {
    const port = await freePort();
    const own = [
      "--no-resolv",
      "--no-hosts",
      "--bind-interfaces",
      "--listen-address=127.0.0.1",
      "--conf-file=/dev/null",
    ];
    const user = process.getuid?.() === 0 ? ["--user=nobody"] : [];
    const answer = ["--address=/plaza.test/192.0.2.7", `--port=${port}`, "--pid-file"];
    await started(t, ["dnsmasq", "--no-daemon", ...own, ...user, ...answer], /started/);
    const [tcp, udp] = (["tcp", "udp"] as const).map((kind) => {
      return { name: kind, upstream: `${kind}://127.0.0.1:${port}`, faults: faults[kind] };
    });
    const { proxies } = await proxied(t, tcp as ProxyDefinition, udp as ProxyDefinition);
    const ask = async (kind: string, ...words: readonly string[]): Promise<string> => {
      const to = ["@127.0.0.1", "-p", `${proxies.get(kind)?.listen.port}`];
      return await finished(t, ["dig", ...to, "+short", "+time=1", ...words, "plaza.test", "A"]);
    };
    return { tcp: () => ask("tcp", "+tcp", "+tries=1"), udp: () => ask("udp", "+notcp", "+tries=5") };
  };

  test("without faults, over UDP and TCP", async (t) => {
    const { tcp, udp } = await dns(t, { tcp: [], udp: [] });
    assert.deepEqual([await tcp(), await udp()], ["192.0.2.7\n", "192.0.2.7\n"]);
  });

  test("with latency and slices, and with the first question lost and every answer doubled", async (t) => {
    const loss: ProxyFault = { kind: "loss", ...BOTH, chance: 1, when: { connections: "1" } };
    const twice: ProxyFault = { kind: "duplication", ...BOTH, chance: 1 };
    const { tcp, udp } = await dns(t, { tcp: [LATE, SLICES], udp: [LATE, loss, twice] });
    assert.equal(await tcp(), "192.0.2.7\n");
    assert.match(await udp(), /^192\.0\.2\.7$/m);
  });
});

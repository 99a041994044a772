/** A real PostgreSQL and its own clients, through the fault proxy. It runs in a folder of the test, and not as root. */

import assert from "node:assert/strict";
import { chownSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { type ProxyFault, startProxy } from "../../src/proxy.ts";
import { run, start } from "../cli/program.ts";
import { finished, freePort, missing, type ProgramPlace, started } from "../fixtures/programs.ts";
import { repositoryRoot } from "../fixtures/repository-root.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { readYaml } from "../fixtures/yaml.ts";

const SUPERUSER = "ana";
/** Who it runs as where the tests run as root, which it refuses: a user without rights, of the same number on each Linux. */
const NOBODY = 65_534;
const asNobody = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};

/** Debian keeps its server programs in a folder for each version. */
const programs = ((): string => {
  const versions = "/usr/lib/postgresql";
  try {
    return join(versions, readdirSync(versions).sort((a, b) => Number(b) - Number(a))[0] ?? "", "bin");
  } catch {
    return "";
  }
})();
const [initdb, postgres, pgbench, psql] = ["initdb", "postgres", "pgbench", "psql"].map((name) =>
  join(programs, name),
) as [string, string, string, string];

/** Makes an empty database and starts it; answers its port. */
async function database(t: TestContext, place: ProgramPlace): Promise<number> {
  const folder = join(place.cwd as string, "data");
  await finished(
    t,
    [initdb, "-D", folder, "-U", SUPERUSER, "-A", "trust", "--no-sync", "--locale=C", "-E", "UTF8"],
    place,
  );
  const port = await freePort();
  const settings = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off", "shared_buffers=16MB"];
  const words = ["-D", folder, "-p", `${port}`, ...settings.flatMap((setting) => ["-c", setting])];
  await started(t, [postgres, ...words], /database system is ready to accept connections/, place);
  return port;
}

const BOTH = { from: "*", to: "*" } as const;
const NETWORKS: Readonly<Record<string, readonly ProxyFault[]>> = {
  "without faults": [],
  "with latency, slices and loss": [
    { kind: "latency", ...BOTH, latency: 2 },
    { kind: "slicing", ...BOTH, averageBytes: 100, variationBytes: 99 },
    // A lost segment comes 200 ms later.
    { kind: "loss", ...BOTH, chance: 0.001 },
  ],
};

/** What the program of the guide prints when it has got all its orders. */
function assertAllDays(stdout: string): void {
  const days = stdout.match(/^day .+ orders$/gm);
  assert.deepEqual(
    days,
    [1, 2, 3, 4, 5].map((day) => `day ${day}: ${day}00 orders`),
  );
}

const EXAMPLES = join(repositoryRoot, "examples/break");
const ORDERS = join(repositoryRoot, "build/examples/break/orders.js");

/** Does what the job of the workflow for GitHub Actions does behind `npm ci`, for each seed of its matrix. */
async function workflow(t: TestContext, port: number): Promise<void> {
  const { test: job } = (readYaml(join(EXAMPLES, "workflow.yml")) as Workflow).jobs;
  const folder = temporaryFolder(t);
  const list = readFileSync(join(EXAMPLES, "proxies.json"), "utf8");
  writeFileSync(join(folder, "proxies.json"), list.replace("127.0.0.1:5432", `127.0.0.1:${port}`));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ scripts: { test: `node ${ORDERS}` } }));
  const command = job.steps.at(-1)?.run ?? "";
  for (const seed of job.strategy.matrix.seed) {
    const [npx, zocalo, ...words] = command.replace("${{ matrix.seed }}", `${seed}`).split(" ");
    assert.deepEqual([npx, zocalo], ["npx", "zocalo"]);
    const { code, stdout, stderr } = await run(t, words, { cwd: folder });
    assert.equal(code, 0, stderr);
    assertAllDays(stdout);
    assert.match(stdout, /^day \d: Connection terminated unexpectedly$/m);
    assert.match(stderr, new RegExp(`\\bcut 1\\b.*\\(seed ${seed}, `));
  }
}

/** Runs the services of the file for Docker Compose as processes, on loopback instead of in a network of theirs. */
async function composition(t: TestContext, port: number): Promise<void> {
  const { network, shop } = (readYaml(join(EXAMPLES, "compose.yaml")) as Composition).services;
  const [source = "", target = ""] = network.volumes[0]?.split(":") ?? [];
  const list = readFileSync(join(EXAMPLES, source), "utf8");
  const config = join(temporaryFolder(t), "proxies.json");
  writeFileSync(config, list.replace("0.0.0.0:5432", "127.0.0.1:0").replace("db:5432", `127.0.0.1:${port}`));
  const [npx, yes, zocalo, ...words] = network.command.replace(target, config).split(" ");
  assert.deepEqual([npx, yes, zocalo], ["npx", "--yes", "zocalo"]);
  const proxy = start(t, words);
  const [, address = ""] = await proxy.tells(/^db: tcp:\/\/(127\.0\.0\.1:\d+) -> /m);
  assert.deepEqual(shop.environment, { ZOCALO_PROXY_DB: "network:5432" });
  const env = { ...process.env, ZOCALO_PROXY_DB: address };
  assertAllDays(await finished(t, [process.execPath, ORDERS], { env }));
  // As Docker ends a service.
  proxy.child.kill("SIGTERM");
  const { code, stderr } = await proxy.ended;
  assert.equal(code, 0);
  assert.match(stderr, /^1 connection: latency \d+ /m);
}

/** What is used of the workflow. */
interface Workflow {
  readonly jobs: {
    readonly test: {
      readonly strategy: { readonly matrix: { readonly seed: readonly number[] } };
      readonly steps: readonly { readonly run?: string }[];
    };
  };
}

/** What is used of the file for Docker Compose. */
interface Composition {
  readonly services: {
    readonly network: { readonly command: string; readonly volumes: readonly string[] };
    readonly shop: { readonly environment: Readonly<Record<string, string>> };
  };
}

describe("postgres", { skip: missing(initdb, postgres, pgbench, psql, "npm") }, () => {
  test("psql, pgbench and the recipes of the guide get every row and transaction", async (t) => {
    const cwd = temporaryFolder(t);
    if (asNobody.uid !== undefined) chownSync(cwd, NOBODY, NOBODY);
    const place = { cwd, ...asNobody, env: { ...process.env, HOME: cwd, LC_ALL: "C" } };
    const port = await database(t, place);
    const direct = ["-h", "127.0.0.1", "-p", `${port}`, "-U", SUPERUSER];
    await finished(t, [pgbench, ...direct, "-i", "-q", "postgres"], place);
    let transactions = 0;
    for (const [title, faults] of Object.entries(NETWORKS)) {
      await using running = await startProxy({
        proxies: [{ name: "db", upstream: `tcp://127.0.0.1:${port}`, faults }],
      });
      const to = ["-h", "127.0.0.1", "-p", `${running.proxies.get("db")?.listen.port}`, "-U", SUPERUSER];
      const ask = (sql: string): Promise<string> => finished(t, [psql, ...to, "-XAtqc", sql, "postgres"], place);

      const rows = await ask("SELECT n, md5(n::text) FROM generate_series(1, 5000) AS n");
      assert.equal(rows.trimEnd().split("\n").length, 5000, title);
      assert.ok(rows.endsWith("5000|a35fe7f7fe8217b4369a0af4244d1fca\n"), title);

      const load = await finished(t, [pgbench, ...to, "-n", "-c", "4", "-t", "25", "postgres"], place);
      assert.match(load, /actually processed: 100\/100/, title);
      transactions += 100;
      // Each transaction adds the same to a row of three tables and writes it into the history.
      const sums = "(SELECT sum(abalance) FROM pgbench_accounts) = (SELECT sum(delta) FROM pgbench_history)";
      assert.equal(await ask(`SELECT count(*), ${sums} FROM pgbench_history`), `${transactions}|t\n`, title);
    }

    if (readYaml(join(EXAMPLES, "workflow.yml")) === undefined) return t.diagnostic("no python3 with yaml: no recipes");
    const shop = [psql, ...direct, "-Xqc", "CREATE ROLE shop LOGIN", "postgres"] as const;
    await finished(t, [...shop], place);
    await workflow(t, port);
    await composition(t, port);
  });
});

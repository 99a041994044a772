/**
 * A server in several workers of node:cluster. Run by cluster.test.ts as `program address workers order`: the primary prints the address
 * on which each worker serves, as one line of JSON. Then it obeys: each line on its input makes one worker close its server and leave, by
 * a message or by a signal, and prints how many are left; at the end it prints how each worker ended, and whether it left by itself.
 */

import cluster, { type Worker } from "node:cluster";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { bind, serve, serveDatagrams } from "../../src/index.ts";

const [address = "", count = "0", order = "message", more = "{}"] = process.argv.slice(2);
const options = { closeOn: ["SIGTERM"], ...(JSON.parse(more) as object) } as const;

async function work(): Promise<void> {
  const name = String(process.pid);
  const server = address.startsWith("udp:")
    ? await serveDatagrams(address, () => name, options)
    : await serve(address, (peer) => peer.write(name), options);
  // A client of its own has a port of its own.
  await using client = await bind("udp://127.0.0.1:0");
  process.send?.({ address: String(server.localAddress), client: String(client.localAddress) });
  // The signal closes the server, and the worker leaves by itself.
  if (order === "signal") return;
  await once(process, "message");
  await server.close();
  cluster.worker?.disconnect();
}

async function direct(): Promise<void> {
  const print = (told: unknown): void => void process.stdout.write(`${JSON.stringify(told)}\n`);
  const workers: Worker[] = [];
  const told: object[] = [];
  const codes: Promise<unknown>[] = [];
  for (let index = 0; index < Number(count); index += 1) {
    const worker = cluster.fork();
    codes.push(once(worker, "exit").then((code: readonly unknown[]) => [...code, worker.exitedAfterDisconnect]));
    workers.push(worker);
    const [message] = (await once(worker, "message")) as [object];
    told.push({ pid: worker.process.pid, ...message });
  }
  print(told);
  const orders = createInterface({ input: process.stdin });
  for await (const line of orders) {
    const worker = workers.shift();
    if (worker === undefined) break;
    const over = once(worker, "exit");
    if (order === "signal") worker.process.kill("SIGTERM");
    else worker.send(line);
    await over;
    print(workers.length);
  }
  print(await Promise.all(codes));
}

try {
  await (cluster.isPrimary ? direct() : work());
} catch (error) {
  process.send?.({ error: String(error).replace(/^\w+: /, "") });
  cluster.worker?.disconnect();
}

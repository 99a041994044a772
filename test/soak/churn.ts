/**
 * Short connections with random ends, in one process: afterwards nothing may be open, and the memory must be where it was.
 *
 * `SOAK_CONNECTIONS` (20000) connections, `SOAK_LANES` (32) at a time, `SOAK_SEED` (1).
 */

import { connect, type Peer, serve, type Server, type StreamSocket, ZocaloError } from "zocalo";
import { SeededRandom } from "../fixtures/seeded-random.ts";
import { conclude, countOf, liveBytes, openHandles, watchForEscapes } from "./outcome.ts";

const ALLOWED_GROWTH_BYTES = 8 * 1024 * 1024;

const connections = countOf("SOAK_CONNECTIONS", 20_000);
const lanes = countOf("SOAK_LANES", 32);
const random = new SeededRandom(countOf("SOAK_SEED", 1));
const problems: string[] = [];
const ends = new Map<string, number>();

/** Ends one side in one of the ways there are, in the middle of whatever happens. */
async function endSomehow(socket: StreamSocket): Promise<void> {
  const way = random.below(5);
  if (way === 0) socket.abort();
  else if (way === 1) await socket.close({ lingerMs: 50 });
  else if (way === 2) {
    await socket.end();
    socket.abort();
  } else if (way === 3) {
    const writing = socket.write(Buffer.alloc(random.below(200_000)));
    writing.catch(() => undefined);
    socket.abort();
  } else {
    await socket.end();
    while ((await socket.read({ timeoutMs: 10_000 })) !== null);
    await socket.close();
  }
}

async function answer(peer: Peer): Promise<void> {
  const way = random.below(6);
  if (way === 0) throw new Error("a handler that fails");
  if (way === 1) peer.abort();
  for await (const bytes of peer) {
    await peer.write(bytes);
    if (random.oneIn(20)) return;
  }
}

async function call(server: Server): Promise<void> {
  let socket: StreamSocket | undefined;
  try {
    socket = await connect(server.localAddress, { timeoutMs: 10_000 });
    const asks = !random.oneIn(4);
    if (asks) await socket.write(Buffer.alloc(1 + random.below(5000), 1));
    if (asks && !random.oneIn(3)) await socket.read({ timeoutMs: 10_000 });
    await endSomehow(socket);
    count((await socket.closed).how);
  } catch (error) {
    if (!(error instanceof ZocaloError)) throw error;
    count(error.code);
    socket?.abort();
  }
}

function count(end: string): void {
  ends.set(end, (ends.get(end) ?? 0) + 1);
}

async function churn(server: Server, total: number): Promise<void> {
  let started = 0;
  const lane = async (): Promise<void> => {
    while (started < total) {
      started += 1;
      await call(server);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

watchForEscapes(problems);
const server = await serve("tcp://127.0.0.1:0", answer);
// The first connections fill caches and pools; what is compared comes after them.
await churn(server, Math.min(2000, connections));
const before = liveBytes();
await churn(server, connections);
const report = await server.close({ timeoutMs: 10_000 });
await new Promise((resolve) => setImmediate(resolve));
const growth = liveBytes() - before;
const left = openHandles();

console.log(`churn: ${connections} connections: ${[...ends].map(([how, times]) => `${how} ${times}`).join(", ")}`);
console.log(
  `churn: memory ${Math.round(growth / 1024)} KiB more than before; open ${server.stats.open}; cut ${report.cut}`,
);
if (server.stats.open !== 0) problems.push(`${server.stats.open} connections are still counted as open`);
if (report.cut !== 0) problems.push(`${report.cut} handlers did not end`);
if (left.length > 0) problems.push(`still open: ${left.join(", ")}`);
if (growth > ALLOWED_GROWTH_BYTES) problems.push(`memory grew by ${growth} bytes`);
if ((ends.get("TIMEOUT") ?? 0) > 0) problems.push(`${ends.get("TIMEOUT")} calls waited for 10 seconds`);
conclude("churn", problems);

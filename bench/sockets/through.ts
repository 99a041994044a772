/** Bulk data and round trips from raw sockets to raw sockets, through a process in the middle or straight. */

import { type Figures, type Player, start } from "../harness/processes.ts";

const ROLES = new URL("./roles.js", import.meta.url).href;
const BALLS = { count: 30_000, warmUp: 5_000 };

/** Bulk data from a server to a client: seconds, and processor time of the middle where it tells, for each byte. */
export async function bulkThrough(middle: Player, bytes: number): Promise<Figures> {
  const server = start(ROLES, "sender");
  const client = start(ROLES, "rawReceiver");
  const { port: behind = 0 } = await server.ask("serve", { bytes });
  const { port = 0 } = await middle.ask("serve", { port: behind });
  await middle.ask("spent").catch(() => undefined);
  const { seconds = 0 } = await client.ask("call", { port });
  const { cpu = 0 } = await middle.ask("spent").catch((): Figures => ({}));
  for (const player of [server, middle, client]) player.stop();
  return { seconds, cpu: cpu / bytes };
}

/** Round trips of 64 bytes through the middle, in microseconds. */
export async function pingThrough(middle: Player): Promise<Figures> {
  const figures = await pinged(async (behind) => (await middle.ask("serve", { port: behind }))["port"] ?? 0);
  middle.stop();
  return figures;
}

/** Round trips of 64 bytes without anything in the middle, in microseconds. */
export async function pingStraight(): Promise<Figures> {
  return await pinged(async (behind) => behind);
}

async function pinged(through: (behind: number) => Promise<number>): Promise<Figures> {
  const server = start(ROLES, "rawEcho");
  const client = start(ROLES, "rawPing");
  const { port: behind = 0 } = await server.ask("serve");
  const figures = await client.ask("play", { port: await through(behind), ...BALLS });
  server.stop();
  client.stop();
  return figures;
}

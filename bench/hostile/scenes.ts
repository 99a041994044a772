/** Which attack meets which server, and the three processes of that: server, a good client, and the attacker. */

import { type Player, start } from "../harness/processes.ts";
import type { Bounds } from "./attack.ts";
import type { datagramAttacks } from "./datagram-attacks.ts";
import type { listenerAttacks } from "./listener-attacks.ts";
import type { sessionAttacks } from "./session-attacks.ts";
import type { kinds } from "./targets.ts";

const ROLES = new URL("./roles.js", import.meta.url).href;

/** A good client beside one attack. */
export interface Scene {
  readonly name: string;
  readonly kind: keyof typeof kinds;
  readonly attack: keyof typeof sessionAttacks | keyof typeof listenerAttacks | keyof typeof datagramAttacks;
  /** What differs from {@link USUAL}. */
  readonly bounds?: Partial<Bounds>;
  /** The good client comes anew for each question. */
  readonly visits?: boolean;
}

/** Below 5 MB/s an attack must be bearable. */
export const USUAL: Bounds = {
  bytesPerSecond: 4_900_000,
  maxBytes: 60_000_000,
  connectsPerSecond: 500,
  maxConnects: 20_000,
};

/** All of them. */
export const SCENES: readonly Scene[] = [
  { name: "events that make sense", kind: "sessions", attack: "events" },
  { name: "calls that make sense", kind: "sessions", attack: "calls" },
  { name: "acknowledgements, 64 streams on each of 10 sessions", kind: "sessions", attack: "acknowledgements" },
  { name: "credit, 64 streams on each of 10 sessions", kind: "sessions", attack: "credits" },
  { name: "pings", kind: "sessions", attack: "pings" },
  { name: "items, ends and cancels of ids that are not known", kind: "sessions", attack: "unknownIds" },
  { name: "events that cannot be decoded", kind: "sessions", attack: "brokenEvents" },
  { name: "events of no method", kind: "sessions", attack: "unknownEvents" },
  { name: "999 wrong events, one right one, and so on", kind: "sessions", attack: "mixedEvents" },
  { name: "calls that cannot be decoded", kind: "sessions", attack: "brokenCalls" },
  { name: "streams that are opened and cancelled", kind: "sessions", attack: "openAndCancel" },
  { name: "calls that are cancelled at once", kind: "sessions", attack: "callAndCancel" },
  {
    name: "a million empty maps in a message",
    kind: "sessions",
    attack: "emptyMaps",
    bounds: { bytesPerSecond: 2_400_000 },
  },
  { name: "one session that is resumed again and again", kind: "broadcasting", attack: "resumes" },
  { name: "broadcast to 60 windows of one byte", kind: "broadcasting", attack: "closedWindows" },
  { name: "broadcast to 400 that are gone", kind: "broadcasting", attack: "dropped", bounds: { maxConnects: 400 } },
  {
    name: "18 sessions of items that nobody reads",
    kind: "sessions",
    attack: "unread",
    bounds: { bytesPerSecond: 50_000_000, maxBytes: 400_000_000, maxConnects: 18 },
  },
  {
    name: "held memory that changes, beside 9,000 detached",
    kind: "principals",
    attack: "changes",
    bounds: { maxConnects: 9_010 },
  },
  {
    name: "1,000 sessions that are opened and dropped",
    kind: "sessions",
    attack: "dropped",
    visits: true,
    bounds: { maxConnects: 1_000 },
  },
  {
    name: "silence, while authenticate takes 300 ms",
    kind: "deciding",
    attack: "silence",
    visits: true,
    bounds: { connectsPerSecond: 2_000 },
  },
  { name: "silence before TLS", kind: "secure", attack: "silence", visits: true, bounds: { connectsPerSecond: 1_100 } },
  {
    name: "refused hellos that are held open",
    kind: "few",
    attack: "refusedHellos",
    visits: true,
    bounds: { connectsPerSecond: 400 },
  },
  { name: "strangers that speak HTTP", kind: "sessions", attack: "garbage", visits: true },
  { name: "hellos that cannot be read", kind: "sessions", attack: "brokenHellos", visits: true },
  { name: "lines that are no JSON, resynchronised", kind: "jsonLines", attack: "invalidLines" },
  { name: "line feeds without carriage returns, resynchronised", kind: "crlfLines", attack: "bareLines" },
  { name: "COBS blocks that are none, resynchronised", kind: "blocks", attack: "invalidBlocks" },
  { name: "empty lines", kind: "lines", attack: "bareLines" },
  { name: "empty COBS blocks", kind: "blocks", attack: "emptyBlocks" },
  {
    name: "a million empty maps behind a length",
    kind: "maps",
    attack: "framedMaps",
    bounds: { bytesPerSecond: 2_400_000 },
  },
  { name: "datagrams that make no sense", kind: "datagrams", attack: "nonsense", bounds: { bytesPerSecond: 200_000 } },
  { name: "two guarded services, and one forged datagram", kind: "guarded", attack: "provoked" },
];

/** The processes of a scene. */
export interface Cast {
  readonly server: Player;
  readonly good: Player;
  readonly attacker: Player;
  readonly port: number;
}

/** Plays a scene, and ends its processes. `begin` begins the attack. */
export async function play<T>(scene: Scene, act: (cast: Cast, begin: () => Promise<void>) => Promise<T>): Promise<T> {
  const server = start(ROLES, "server", scene.kind);
  const good = start(ROLES, "good", scene.kind);
  const attacker = start(ROLES, "attacker", scene.attack);
  try {
    const { port = 0 } = await server.ask("serve");
    return await act({ server, good, attacker, port }, async () => {
      await attacker.ask("start", { port, ...USUAL, ...scene.bounds });
      await server.ask("provoke");
    });
  } finally {
    for (const player of [attacker, good, server]) player.stop();
  }
}

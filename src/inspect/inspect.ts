/** Looking into this program while it runs. */

import { UsageError } from "../core/errors.ts";
import {
  checkOptions,
  FLAG,
  LIST,
  listOf,
  optionInvalid,
  type RulesOf,
  TEXT,
  wholeNumber,
} from "../core/options/check-options.ts";
import { type OpenDoor, openPort } from "../http/open-port.ts";
import { nodeNetwork } from "../node/network.ts";
import { currentScope } from "../sim/guard/scope.ts";
import { openByPid, openFile } from "./doors.ts";
import { ErrorRing } from "./errors.ts";
import { Registry } from "./registry.ts";
import { Rows } from "./rows.ts";
import type { Permission } from "./sources.ts";
import { Watches } from "./watch.ts";
import { type WebSources, webServer } from "./web-server.ts";

/** Options of {@link inspect}. */
export interface InspectOptions {
  /** The port on 127.0.0.1. Default 0: a free one. */
  readonly port?: number | undefined;
  /** The path of a Unix socket to listen on instead of a port. Its file has mode 0600, and no token is needed there. */
  readonly path?: string | undefined;
  /**
   * Whether the first 64 bytes of messages are shown that the peer has not acknowledged. Default false: nothing that programs say to
   * each other is shown. Credentials, tokens and their hashes never are.
   */
  readonly payloads?: boolean | undefined;
  /**
   * What may be changed from outside: `disconnect` resets a connection (a session survives that), `drain` closes a server as `close`
   * does. Default: nothing.
   */
  readonly allow?: readonly ("disconnect" | "drain")[] | undefined;
  /** Servers and listeners that were opened before. What is opened from now on is found without it. Default: none. */
  readonly servers?: readonly object[] | undefined;
}

const PERMISSIONS: readonly unknown[] = ["disconnect", "drain"] satisfies Permission[];

/** What {@link InspectOptions} must look like. */
const INSPECT_RULES: RulesOf<InspectOptions> = {
  port: wholeNumber(0, 65_535),
  path: TEXT,
  payloads: FLAG,
  allow: listOf('some of "disconnect" and "drain"', (name) => PERMISSIONS.includes(name)),
  servers: { ...LIST, required: false },
};

/** An inspector that runs. */
export interface Inspector extends AsyncDisposable {
  /** Where it listens, with the token: whoever has it can see what the program does. `unix:` and a path with `path`. */
  readonly url: string;
  /** Lists a server or listener that was opened before. @throws UsageError `OPTION_INVALID` for anything else. */
  add(server: object): void;
  /** Stops listening, and cuts the connections of those who look. Never rejects. */
  close(): Promise<void>;
}

/** One for the process, however many inspectors look at it: the numbers of its objects are the same for all. */
export const registry: Registry = new Registry(nodeNetwork.clock);
/**
 * Lets people look into this program while it runs: its servers, connections, datagram sockets, sessions, the calls that are under
 * way, and what waits in queues. It listens on 127.0.0.1 alone, answers only who knows the token, and answers no page of another
 * origin. It changes nothing unless `allow` says so, and shows nothing of what is said unless `payloads` does. `zocalo inspect` prints
 * what it says. On Linux and macOS it also listens on a Unix socket of this user, where `zocalo inspect PID` finds it.
 *
 * It costs nothing while nobody asks but a list of what is open, which keeps nothing alive. It does not keep the process alive. What
 * was opened before is not listed, unless it is given in `servers`; `NODE_OPTIONS=--import=zocalo/inspect` starts it before the program.
 *
 * Rejects with `OPTION_INVALID`, and as `listen` does: `ADDRESS_IN_USE`, `PERMISSION_DENIED`, `PATH_NOT_FOUND`. In a simulated world it
 * rejects with `SIM_LEAK`: look at the run with `zocalo sim trace`.
 *
 * @example
 * ```ts
 * import { serve } from "zocalo";
 * import { inspect } from "zocalo/inspect";
 * await using inspector = await inspect();
 * await using server = await serve("tcp://127.0.0.1:0", async (peer) => await peer.write("hola"));
 * const answer = await fetch(inspector.url.replace("/?", "/servers?"));
 * const { servers } = (await answer.json()) as { servers: { address: string }[] };
 * console.log(servers[0]?.address === String(server.localAddress)); // true
 * ```
 */
export async function inspect(options: InspectOptions = {}): Promise<Inspector> {
  const call = { op: "inspect" };
  const { port, path, payloads = false, allow = [], servers = [] } = checkOptions(call, options, INSPECT_RULES);
  if (port !== undefined && path !== undefined) throw optionInvalid(call, "give either port or path");
  const add = (server: object): void => {
    const isObject = typeof server === "object" && server !== null;
    if (isObject && registry.addServer(server)) return;
    throw optionInvalid(call, "servers must be servers and listeners of this copy of zocalo");
  };
  refuseInWorlds();
  const errors = new ErrorRing(nodeNetwork.clock);
  // From the first moment on: what is opened while the doors are must be there.
  const ends = [registry.start(), errors.start()];
  const doors: OpenDoor[] = [];
  try {
    for (const server of servers) add(server);
    const makeServer = webServer.bind(undefined, sourcesOf(errors, payloads, allow));
    const where = { ...call, port: port ?? 0, token: true };
    doors.push(path === undefined ? await openPort(where, makeServer) : await openFile(path, makeServer));
    // To be found by a number is a comfort: where it cannot be, the address does.
    const byPid = await openByPid(makeServer).catch(() => undefined);
    if (byPid !== undefined) doors.push(byPid);
  } catch (error) {
    for (const end of ends) end();
    throw error;
  }
  let closing: Promise<unknown> | undefined;
  const close = async (): Promise<void> => {
    if (closing === undefined) for (const end of ends) end();
    closing ??= Promise.all(doors.map((door) => door.close()));
    await closing;
  };
  return { url: (doors[0] as OpenDoor).url, add, close, [Symbol.asyncDispose]: close };
}

function sourcesOf(errors: ErrorRing, payloads: boolean, allow: readonly Permission[]): WebSources {
  const { clock } = nodeNetwork;
  const about = (): object => ({
    pid: process.pid,
    node: process.version,
    platform: process.platform,
    uptimeMs: Math.round(process.uptime() * 1000),
    payloads,
    allow,
  });
  const rows = new Rows(registry);
  const watches = new Watches(clock);
  return { registry, rows, errors, payloads, allow: new Set(allow), about, watches, clock, watchers: 0 };
}

/** A simulated program that is looked at from outside would depend on who looks. */
function refuseInWorlds(): void {
  const scope = currentScope();
  if (scope === undefined) return;
  const detail = `inspect listens on the real network, and ${scope.place} is simulated; look at the run with zocalo sim trace`;
  const error = new UsageError("SIM_LEAK", { op: "inspect", detail });
  scope.leaked(error);
  throw error;
}

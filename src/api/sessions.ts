/** The calls of sessions, on the kernel's network unless another one is given. */

import type { AddressLike } from "../core/address/address.ts";
import type { OptionRules } from "../core/options/check-options.ts";
import type { ServerAddressesLike } from "../io/session/client/addresses.ts";
import { openSessionOver } from "../io/session/client/connect.ts";
import { serveSessionsOver } from "../io/session/server/serve.ts";
import { type ConnectSessionOptions, OPEN_SESSION_RULES } from "../io/session/client/options.ts";
import { SERVE_SESSIONS_RULES, type ServeSessionsOptions } from "../io/session/server/options.ts";
import type { Contract, Methods } from "../io/contract/methods.ts";
import type { Session } from "../io/session/public.ts";
import type { SessionServer } from "../io/session/server/public.ts";
import { NETWORK_RULES, networkOf, type NetworkOption } from "./call-options.ts";
import { SERVER_RULES, closeOn, type SignalOptions } from "./close-on-signals.ts";
import { onErrorOf } from "./untold-errors.ts";

const SERVE: OptionRules = { ...SERVE_SESSIONS_RULES, ...SERVER_RULES, onError: onErrorOf("serveSessions") };
const OPEN: OptionRules = { ...OPEN_SESSION_RULES, ...NETWORK_RULES, onError: onErrorOf("connectSession") };

/**
 * Serves a contract: takes clients in, keeps a session for each, and calls the handlers for what they send. A session
 * outlives its connection for `resume.resumeTimeoutMs`. No client and no handler can end the process; what nobody awaits goes to `onError`.
 *
 * Rejects as `listen` does, and with `OPTION_INVALID` when a handler is missing. `close` of the server lets calls and
 * streams that are under way finish; what is left when its time is over ends with `CLOSED` on both sides.
 *
 * @example
 * ```ts
 * import { call, contract, event, connectSession, serveSessions } from "zocalo/protocol";
 * const chat = contract("chat", "1.0.0", {
 *   server: { join: call<{ room: string }, { members: number }>(), say: event<string>() },
 *   client: { said: event<string>() },
 * });
 * const server = await serveSessions(chat, "tcp://127.0.0.1:0", {
 *   data: () => ({ room: "" }),
 *   handlers: {
 *     join({ room }, { session, server }) {
 *       session.data.room = room;
 *       server.group(room).join(session);
 *       return { members: server.group(room).size };
 *     },
 *     say: (text, { session, server }) => server.group(session.data.room).remote.said(text),
 *   },
 * });
 * const heard = new Promise<string>((resolve) => {
 *   void connectSession(chat, server.localAddress, { handlers: { said: resolve } }).then(async (session) => {
 *     await session.remote.join({ room: "plaza" });
 *     await session.remote.say("hola");
 *   });
 * });
 * console.log(await heard); // hola
 * await server.close();
 * ```
 */
export function serveSessions<Client extends Methods>(
  contract: Contract<Readonly<Record<string, never>>, Client>,
  address: AddressLike,
): Promise<SessionServer<Client>>;
/** With options: they are required as soon as the contract's server offers anything. */
export function serveSessions<Server extends Methods, Client extends Methods, Data = Record<string, unknown>>(
  contract: Contract<Server, Client>,
  address: AddressLike,
  options: ServeSessionsOptions<Server, Client, Data> & NetworkOption & SignalOptions,
): Promise<SessionServer<Client, Data>>;
export async function serveSessions<Server extends Methods, Client extends Methods, Data>(
  contract: Contract<Server, Client>,
  address: AddressLike,
  options = {} as ServeSessionsOptions<Server, Client, Data> & NetworkOption & SignalOptions,
): Promise<SessionServer<Client, Data>> {
  const network = networkOf("serveSessions", options);
  const server = await serveSessionsOver(network, contract, address, options, SERVE);
  closeOn(server, options);
  return server;
}

/**
 * Opens a session with a server of the same contract: connects, agrees on version, codec and limits, and answers a session, whose `remote` has the
 * methods of the server as functions. When the connection is lost, it makes another one by itself and continues the
 * session, or begins anew and tells so (`onReady`).
 *
 * With a list of addresses it knows several servers, all of the same transport: it tries each once in a round, in an order that is drawn,
 * and goes back to the one that has its session where it can. Without `retry` there is one round; the error names all of them.
 *
 * An open session keeps the process alive. So does one whose server has gone, also in order: it tries to come back for
 * `reconnect.timeoutMs`, 5 minutes, and is over then. `close` and `abort` of the session end that at once;
 * `session.interop.unref()` lets the process end, and `reconnect: false` ends the session with its connection.
 *
 * Rejects as `connect` does, with what the server refuses (`CONTRACT_UNKNOWN`, `VERSION_UNSUPPORTED`, `CODEC_UNSUPPORTED`,
 * `UNAUTHENTICATED`, `SERVER_BUSY`), with `PROTOCOL_MISMATCH` or `HANDSHAKE_INVALID` when the peer does not speak this
 * protocol, with `END_OF_STREAM` when it ends without an answer, with `OPTION_INVALID` when a handler is missing. When the
 * session is closed, calls and streams that are under way end with `CLOSED`; when it is lost, with `SESSION_LOST`.
 *
 * @example
 * ```ts
 * import { call, contract, connectSession, serveSessions } from "zocalo/protocol";
 * const clock = contract("clock", "1.0.0", { server: { add: call<{ a: number; b: number }, number>() } });
 * await using server = await serveSessions(clock, "tcp://127.0.0.1:0", { handlers: { add: ({ a, b }) => a + b } });
 * await using session = await connectSession(clock, server.localAddress);
 * console.log(await session.remote.add({ a: 1, b: 2 }, { timeoutMs: 1_000 })); // 3
 * ```
 */
export function connectSession<Server extends Methods>(
  contract: Contract<Server, Readonly<Record<string, never>>>,
  address: ServerAddressesLike,
): Promise<Session<Server>>;
/** With options: they are required as soon as the contract's client offers anything. */
export function connectSession<Server extends Methods, Client extends Methods, Data = Record<string, unknown>>(
  contract: Contract<Server, Client>,
  address: ServerAddressesLike,
  options: ConnectSessionOptions<Server, Client, Data> & NetworkOption,
): Promise<Session<Server, Data>>;
export async function connectSession<Server extends Methods, Client extends Methods, Data>(
  contract: Contract<Server, Client>,
  address: ServerAddressesLike,
  options = {} as ConnectSessionOptions<Server, Client, Data> & NetworkOption,
): Promise<Session<Server, Data>> {
  return await openSessionOver(networkOf("connectSession", options), contract, address, options, OPEN);
}

// Compiled, never run, by the oldest TypeScript that the package supports: every declaration file, and inference across a
// contract.
import * as zocalo from "zocalo";
import * as framing from "zocalo/framing";
import * as inspector from "zocalo/inspect";
import { bytes, call, contract, event, connectSession, RemoteError, serveSessions, stream } from "zocalo/protocol";
import * as proxy from "zocalo/proxy";
import * as sim from "zocalo/sim";
import * as testing from "zocalo/testing";

export const entries: object[] = [zocalo, framing, inspector, proxy, sim, testing];

const chat = contract("chat", "1.0.0", {
  server: { join: call<{ room: string }, { members: number }>(), upload: stream({ receives: bytes }) },
  client: { said: event<string>() },
});
const server = await serveSessions(chat, "tcp://127.0.0.1:0", {
  handlers: { join: ({ room }) => ({ members: room.length }), upload: async () => undefined },
});
const session = await connectSession(chat, server.localAddress, { handlers: { said: (text) => text.trim() } });
export const members: number = (await session.remote.join({ room: "plaza" })).members;
// @ts-expect-error a wrong argument does not compile
await session.remote.join({ room: 1 });

const proxied = await proxy.startProxy({ proxies: [{ name: "chat", upstream: server.localAddress }] });
proxied.inflict({ kind: "slicing", from: "client", to: "server", averageBytes: 3, when: { connections: "1-2" } });
// @ts-expect-error a fault without its size does not compile
proxied.inflict({ kind: "slicing", from: "client", to: "server" });

export function codeOf(error: unknown): string {
  if (error instanceof zocalo.TimeoutError) return error.code;
  return error instanceof RemoteError ? `${error.code}: ${error.message}` : "unknown";
}

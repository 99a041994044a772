// Compiled, never run, by the oldest TypeScript that the package supports: every declaration file, and inference across a
// contract.
import * as zocalo from "zocalo";
import * as framing from "zocalo/framing";
import { bytes, call, contract, event, connectSession, RemoteError, serveSessions, stream } from "zocalo/protocol";
import * as sim from "zocalo/sim";
import * as testing from "zocalo/testing";

export const entries: object[] = [zocalo, framing, sim, testing];

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

export function codeOf(error: unknown): string {
  if (error instanceof zocalo.TimeoutError) return error.code;
  return error instanceof RemoteError ? `${error.code}: ${error.message}` : "unknown";
}

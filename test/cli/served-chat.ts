/** A server of sessions in the process of a test, and the file with its contract for the command. */

import type { TestContext } from "node:test";
import {
  bytes,
  call,
  contract,
  event,
  RemoteError,
  serveSessions,
  type ServeSessionsOptions,
  type SessionServer,
  stream,
  typeOnly,
} from "../../src/protocol.ts";
import type { TlsOptions } from "../../src/index.ts";
import { contractFile } from "./contracts.ts";

/** The contract, for the server; {@link FILE_TEXT} says the same for the command. */
const chat = contract("chat", "1.2.0", {
  server: {
    join: call<{ room: string }, { members: number }>(),
    fail: call<string, never>(),
    wait: call(),
    reverse: call(bytes, bytes),
    say: event<string>(),
    count: stream({ request: typeOnly<{ to: number }>(), sends: typeOnly<number>() }),
  },
  client: { said: event<string>(), confirm: call<string, boolean>() },
});

/** The contract, for the command. */
export const FILE_TEXT = `export const chat = contract("chat", "1.2.0", {
  server: {
    join: call(typeOnly(), typeOnly()), fail: call(typeOnly(), typeOnly()), wait: call(), reverse: call(bytes, bytes),
    say: event(typeOnly()), count: stream({ request: typeOnly(), sends: typeOnly() }),
  },
  client: { said: event(typeOnly()), confirm: call(typeOnly(), typeOnly()) },
});`;

type ChatServer = SessionServer<typeof chat.client>;
type ChatOptions = ServeSessionsOptions<typeof chat.server, typeof chat.client, Record<string, unknown>>;

/** What a test has. */
export interface ServedChat {
  readonly server: ChatServer;
  readonly address: string;
  readonly file: string;
  /** What was said, in order. */
  readonly heard: string[];
}

/** Starts the server, and closes it when the test is over. */
export async function serveChat(
  t: TestContext,
  options: Partial<ChatOptions> & { readonly tls?: TlsOptions } = {},
  address = "tcp://127.0.0.1:0",
): Promise<ServedChat> {
  const heard: string[] = [];
  const server = await serveSessions(chat, address, {
    ...options,
    handlers: {
      join({ room }, { session, server: all }) {
        all.group(room).join(session);
        return { members: all.group(room).size };
      },
      fail(text) {
        throw text === "known"
          ? new RemoteError("ROOM_FULL", "the room is full", { data: { seats: 12 } })
          : Error(text);
      },
      wait: (_nothing, { signal }) => new Promise((resolve) => signal.addEventListener("abort", () => resolve())),
      reverse: (data) => Buffer.from(data).reverse(),
      say: (text) => void heard.push(text),
      *count({ to }) {
        for (let next = 1; next <= to; next += 1) yield next;
      },
    },
  });
  t.after(() => server.close({ timeoutMs: 0 }));
  return { server, address: String(server.localAddress), file: contractFile(t, FILE_TEXT), heard };
}

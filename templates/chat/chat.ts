/** The chat, on any network: the real one, or the simulated one of a test. */

import type { Network } from "zocalo";
import { connectSession, serveSessions } from "zocalo/protocol";
import { chat } from "./contract.ts";

export interface ChatServerOptions {
  readonly network?: Network;
  readonly closeOn?: readonly NodeJS.Signals[];
}

/** Tells everybody what one of them says. */
export function openChat(address: string, options: ChatServerOptions = {}) {
  return serveSessions(chat, address, {
    ...options,
    data: () => ({ name: "" }),
    handlers: {
      join({ name }, { session, server }) {
        const plaza = server.group("plaza");
        const others = [...plaza].map((member) => member.data.name);
        plaza.remote.said({ from: "*", text: `${name} has come` });
        plaza.join(session);
        session.data.name = name;
        return { others };
      },
      say: (text, { session, server }) => server.group("plaza").remote.said({ from: session.data.name, text }),
    },
    // Not when a connection is lost: only when its session is over.
    onClose: ({ data }, _end, server) => server.group("plaza").remote.said({ from: "*", text: `${data.name} left` }),
  });
}

export interface ChatClientOptions {
  readonly network?: Network;
  readonly heard: (from: string, text: string) => void;
}

/** Joins the chat. The session goes on when its connection is lost; no line is missing then. */
export async function enterChat(address: string, name: string, { network, heard }: ChatClientOptions) {
  return await connectSession(chat, address, {
    network,
    retry: { timeoutMs: 60_000 },
    timeoutMs: 60_000,
    handlers: { said: ({ from, text }) => heard(from, text) },
    // At the beginning, and when the server has forgotten who is there.
    async onReady(session) {
      const { others } = await session.remote.join({ name });
      heard("*", `with you: ${others.join(", ") || "nobody"}`);
    },
  });
}

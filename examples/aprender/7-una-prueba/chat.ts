import type { Network } from "zocalo";
import { connectSession, serveSessions, type ServerResumeOptions } from "zocalo/protocol";
import { chat } from "./contrato.ts";

interface ServerOptions {
  readonly network?: Network;
  readonly resume?: ServerResumeOptions;
}

/** El servidor del paso 6, en cualquier red. */
export async function openChat(address: string, options: ServerOptions = {}): Promise<void> {
  await serveSessions(chat, address, {
    ...options,
    data: () => ({ name: "" }),
    handlers: {
      join(name, { session, server: all }) {
        const plaza = all.group("plaza");
        const others = [...plaza].map((member) => member.data.name);
        plaza.remote.came(name);
        plaza.join(session);
        session.data.name = name;
        return others;
      },
      say: (text, { session, server: all }) => all.group("plaza").remote.said({ from: session.data.name, text }),
    },
  });
}

interface ClientOptions {
  readonly network?: Network;
  readonly heard?: (text: string) => void;
}

/** El cliente del paso 6, en cualquier red. */
export async function enter(name: string, address: string, { network, heard = () => undefined }: ClientOptions) {
  return await connectSession(chat, address, {
    network,
    retry: { timeoutMs: 60_000 },
    timeoutMs: 60_000,
    handlers: { came: () => undefined, left: () => undefined, said: ({ text }) => heard(text) },
    onReady: (session) => session.remote.join(name),
  });
}

/** A server of each kind that can be shared, for the workers of rolling-restart.test.ts; each answers with its process. */

import { serve } from "../../src/index.ts";
import { serveSessions } from "../../src/protocol.ts";
import { asked } from "./rolling-contract.ts";

const { TCP = "", TLS = "", UNIX = "", SESSIONS = "", CERT = "", KEY = "" } = process.env;
const name = String(process.pid);
const options = { closeOn: ["SIGTERM"], closeTimeoutMs: 60_000 } as const;
for (const address of [TCP, TLS, UNIX]) {
  const tls = address === TLS ? { tls: { cert: CERT, key: KEY } } : {};
  const answer = async (peer: { readUntil(end: string): Promise<unknown>; write(text: string): Promise<void> }) => {
    await peer.readUntil("\n");
    await peer.write(name);
  };
  await serve(address, answer, { ...options, ...tls });
}
await serveSessions(asked, SESSIONS, { handlers: { who: () => name }, ...options });
process.send?.("ready");

/** A server with its sessions in a file, which the message "die" ends. `mortal-server.js PATH PORT`; it prints its port. */

import { fileJournal } from "zocalo/journal-file";
import { serveSessions } from "zocalo/protocol";
import { mortal } from "./mortal-contract.ts";

const [path = "", port = "0"] = process.argv.slice(2);
const handle = (what: string): string => {
  if (what === "die") process.exit(7);
  return what;
};
const server = await serveSessions(mortal, `tcp://127.0.0.1:${port}`, {
  journal: fileJournal({ path }),
  onError: (error) => void process.stdout.write(`told ${String((error as { readonly code?: string }).code)}\n`),
  handlers: { ask: handle, pay: handle, note: handle },
});
process.stdout.write(`port ${server.localAddress.port}\n`);

/** A server of sessions with a readiness port, for balancers.test.ts; it prints both ports. */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { closeOnSignals } from "../../src/index.ts";
import { serveSessions } from "../../src/protocol.ts";
import { asked } from "../sockets/rolling-contract.ts";

const server = await serveSessions(asked, "tcp://127.0.0.1:0", {
  proxyProtocol: { from: ["127.0.0.1"] },
  handlers: { who: () => String(process.pid) },
});
closeOnSignals(server, { delayMs: 3_000, timeoutMs: 60_000, exit: true });
const ready = createServer((_request, response) => response.writeHead(server.draining.aborted ? 503 : 200).end());
ready.listen(0, "127.0.0.1", () => {
  process.stdout.write(`ports: ${server.localAddress.port} ${(ready.address() as AddressInfo).port}\n`);
});

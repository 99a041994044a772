/** Controls devices: node server.js [ADDRESS]; type "lamp on", "lamp off" or "lamp measure". */

import { createInterface } from "node:readline";
import { serveSessions } from "zocalo/protocol";
import { z } from "zod";
import { device } from "./contract.ts";

// In earnest: a key for each device, and a tls: address, since without TLS a key can be read on its way.
const key = z.literal(process.env["DEVICE_KEY"] ?? "only for tests");
const badge = z.object({ name: z.string().max(40), key });

const control = await serveSessions(device, process.argv[2] ?? "tcp://127.0.0.1:7000", {
  authenticate: ({ auth }) => badge.safeParse(auth).data?.name, // undefined turns the device away.
  onOpen: (session, server) => void server.group(session.principal ?? "").join(session),
});
console.error(`listening on ${String(control.localAddress)}`);

for await (const line of createInterface({ input: process.stdin })) {
  const [name = "", order = ""] = line.split(" ");
  const devices = [...control.group(name)];
  if (devices.length === 0) console.log(`there is no device ${name}`);
  for (const { remote } of devices) {
    // A device without a connection has five seconds to come back: then it gets the call all the same.
    const wait = { timeoutMs: 5_000 };
    const asked = order === "measure" ? remote.measure(undefined, wait) : remote.turn({ on: order === "on" }, wait);
    console.log(name, await asked.catch((error: unknown) => String(error)));
  }
}
await control.close();

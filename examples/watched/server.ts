/** A shop with figures, traces and a rule about who may do what: node server.js [ADDRESS] [PORT OF THE FIGURES] */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { RemoteError, serveSessions } from "zocalo/protocol";
import { shop } from "./contract.ts";

const [address = "tcp://127.0.0.1:7000", port = "9100"] = process.argv.slice(2);
const prices = new Map([["bread", 2]]);
const server = await serveSessions(shop, address, {
  metrics: true,
  authenticate: ({ auth }) => String(auth),
  around({ method, session, metadata }, next) {
    console.log(`${method} by ${session.principal}, trace ${metadata["traceparent"]?.split("-")[1] ?? "none"}`);
    if (method === "reprice" && session.principal !== "owner")
      throw new RemoteError("FORBIDDEN", "you are not the owner");
    return next();
  },
  handlers: {
    price: (what) => prices.get(what) ?? 0,
    reprice: ({ what, price }) => void prices.set(what, price),
  },
  closeOn: ["SIGINT", "SIGTERM"],
});
const http = createServer((_request, response) => {
  response.setHeader("content-type", "application/openmetrics-text; version=1.0.0; charset=utf-8");
  void server.metrics().then((text) => response.end(text));
});
http.listen(Number(port), "127.0.0.1", () => {
  console.error(`figures at http://127.0.0.1:${(http.address() as AddressInfo).port}/metrics`);
  console.error(`listening on ${String(server.localAddress)}`);
});
void server.closed.then(() => http.close());

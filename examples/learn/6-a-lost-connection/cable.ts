import { connect, relay, serve } from "zocalo";

// Passes everything on between the clients, who come here, and the server.
const cable = await serve("tcp://127.0.0.1:7001", async (peer) => {
  await relay(peer, await connect("tcp://127.0.0.1:7000"));
});
console.log("listening on", String(cable.localAddress));

import { connect, relay, serve } from "zocalo";

// Pasa todo entre los clientes, que vienen aquí, y el servidor.
const cable = await serve("tcp://127.0.0.1:7001", async (peer) => {
  await relay(peer, await connect("tcp://127.0.0.1:7000"));
});
console.log("escuchando en", String(cable.localAddress));

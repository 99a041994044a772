import { serve } from "zocalo";

const server = await serve("tcp://127.0.0.1:7000", async (peer) => {
  // Se ejecuta una vez por cliente; `peer` es su conexión.
  console.log(String(peer.remoteAddress), "está aquí");
  const line = await peer.readUntil("\n");
  console.log(`dice: ${String(line).trim()}`);
  await peer.write("buenos días\n");
});
console.log("escuchando en", String(server.localAddress));

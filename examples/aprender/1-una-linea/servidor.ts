import { serve } from "zocalo";

const server = await serve("tcp://127.0.0.1:7000", async (peer) => {
  console.log(String(peer.remoteAddress), "está aquí");
  const line = await peer.readUntil("\n");
  console.log(`dice: ${String(line).trim()}`);
  await peer.write("buenos días\n");
});
console.log("escuchando en", String(server.localAddress));

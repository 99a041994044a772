import { serve } from "zocalo";

const server = await serve("tcp://127.0.0.1:7000", async (peer) => {
  // Runs once for each client; `peer` is its connection.
  console.log(String(peer.remoteAddress), "is here");
  const line = await peer.readUntil("\n");
  console.log(`it says: ${String(line).trim()}`);
  await peer.write("good morning\n");
});
console.log("listening on", String(server.localAddress));

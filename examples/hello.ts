import { connect, serve } from "zocalo";

const server = await serve("tcp://127.0.0.1:0", async (peer) => {
  const line = await peer.readUntil("\n");
  await peer.write(String(line).toUpperCase());
});

const call = await connect(server.localAddress);
await call.write("hello\n");
console.log(String(await call.readUntil("\n"))); // HELLO
await call.close();
await server.close();

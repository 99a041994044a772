import { serve } from "zocalo";
import { lines } from "zocalo/framing";

const server = await serve("tcp://127.0.0.1:7000", async (peer) => {
  const talk = peer.framed(lines());
  for await (const line of talk) {
    console.log(`dice: ${line}`);
    await talk.send(`has dicho: ${line}`);
  }
  console.log("ha colgado");
});
console.log("escuchando en", String(server.localAddress));

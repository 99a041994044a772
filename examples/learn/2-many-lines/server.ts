import { serve } from "zocalo";
import { lines } from "zocalo/framing";

const server = await serve("tcp://127.0.0.1:7000", async (peer) => {
  const talk = peer.framed(lines());
  for await (const line of talk) {
    console.log(`it says: ${line}`);
    await talk.send(`you said: ${line}`);
  }
  console.log("it has hung up");
});
console.log("listening on", String(server.localAddress));

import { createServer } from "node:http";
import { serve } from "zocalo";
import { lines } from "zocalo/framing";

const { ADDRESS = "tcp://[::]:7000", READY_HOST = "::", READY_PORT = "7001", LISTEN_FDS } = process.env;

const server = await serve(
  ADDRESS,
  async (peer) => {
    const text = peer.framed(lines());
    peer.draining.addEventListener("abort", () => void text.send("goodbye")); // asks the client to leave
    for await (const line of text) await text.send(line.toUpperCase());
  },
  {
    closeOn: ["SIGINT", "SIGTERM"],
    closeTimeoutMs: 20_000,
    fd: LISTEN_FDS === "1" ? 3 : undefined, // systemd has opened the port
    onError: (error) => console.error(String(error)),
  },
);

const ready = createServer((_request, response) => {
  response.writeHead(server.draining.aborted ? 503 : 200, { connection: "close" }).end();
});
ready.listen(Number(READY_PORT), READY_HOST, () => {
  console.log(`serving ${server.localAddress.toString()}, ready at`, ready.address());
});

const { how } = await server.closed;
ready.close();
console.log(`the server is ${how}`);

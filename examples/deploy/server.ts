import { createServer } from "node:http";
import { closeOnSignals, serve } from "zocalo";
import { lines } from "zocalo/framing";

const { ADDRESS = "tcp://[::]:7000", READY_HOST = "::", READY_PORT = "7001" } = process.env;
const { LISTEN_FDS, DELAY_MS = "5000", PROXIES } = process.env;

const server = await serve(
  ADDRESS,
  async (peer) => {
    const text = peer.framed(lines());
    peer.draining.addEventListener("abort", () => void text.send("goodbye")); // asks the client to leave
    for await (const line of text) await text.send(line.toUpperCase());
  },
  {
    fd: LISTEN_FDS === "1" ? 3 : undefined, // systemd has opened the port
    proxyProtocol: PROXIES ? { from: PROXIES.split(",") } : undefined, // the load balancers, which name the client
    onError: (error) => console.error(String(error)),
  },
);

const ready = createServer((_request, response) => {
  response.writeHead(server.draining.aborted ? 503 : 200, { connection: "close" }).end();
});
ready.listen(Number(READY_PORT), READY_HOST, () => {
  console.log(`serving ${server.localAddress.toString()}, ready at`, ready.address());
  process.send?.("ready"); // to a primary that replaces workers
});

closeOnSignals(server, { delayMs: Number(DELAY_MS), timeoutMs: 20_000, cutOn: ["SIGINT"], exit: true });
const { how } = await server.closed;
console.log(`the server is ${how}`);

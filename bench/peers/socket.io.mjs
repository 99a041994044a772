import { once } from "node:events";
import { createServer } from "node:http";
import { Server } from "socket.io";
import { io } from "socket.io-client";

export async function serve({ event, call }) {
  const http = createServer();
  const server = new Server(http, { transports: ["websocket"], perMessageDeflate: false });
  server.on("connection", (socket) => {
    socket.on("event", event);
    socket.on("call", (message, answer) => answer(call(message)));
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  return {
    port: http.address().port,
    // Text, for which it makes the frame once for all clients; bytes it frames for each of them, in two packets.
    broadcast: (message) => server.emit("news", message.toString("latin1")),
  };
}

export async function open(port, heard) {
  const socket = io(`http://127.0.0.1:${port}`, { transports: ["websocket"], forceNew: true });
  await new Promise((resolve) => socket.once("connect", resolve));
  if (heard !== undefined) socket.on("news", (text) => heard(text.length));
  let sent = 0;
  return {
    event(message) {
      socket.emit("event", message);
      // It has no backpressure: every so often an acknowledgement keeps its memory bounded.
      sent += 1;
      if (sent % 1000 === 0) return socket.emitWithAck("call", message).then(() => undefined);
    },
    call: (message) => socket.emitWithAck("call", message),
  };
}

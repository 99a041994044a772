import { once } from "node:events";
import { WebSocket, WebSocketServer } from "ws";

/** A message is an event, or a call when its first byte says so; the answer repeats the number of the call. */
const CALL = 1;

export async function serve({ event, call }) {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
  server.on("connection", (socket) => {
    socket.on("message", (data) => {
      if (data[0] !== CALL) event(data.subarray(1));
      else socket.send(Buffer.concat([data.subarray(1, 5), call(data.subarray(5))]));
    });
  });
  await once(server, "listening");
  return {
    port: server.address().port,
    broadcast(message) {
      for (const socket of server.clients) socket.send(message);
    },
  };
}

export async function open(port, heard) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
  await once(socket, "open");
  const waiting = new Map();
  let next = 0;
  const answered = (data) => {
    const id = data.readUInt32BE(0);
    const resolve = waiting.get(id);
    waiting.delete(id);
    resolve(data.subarray(4));
  };
  socket.on("message", heard === undefined ? answered : (data) => heard(data.length));
  return {
    event(message) {
      const frame = Buffer.allocUnsafe(message.length + 1);
      frame[0] = 0;
      frame.set(message, 1);
      if (socket.bufferedAmount >= 65_536) return new Promise((resolve) => socket.send(frame, resolve));
      socket.send(frame);
      return undefined;
    },
    call(message) {
      next = (next + 1) >>> 0;
      const frame = Buffer.allocUnsafe(message.length + 5);
      frame[0] = CALL;
      frame.writeUInt32BE(next, 1);
      frame.set(message, 5);
      return new Promise((resolve) => {
        waiting.set(next, resolve);
        socket.send(frame);
      });
    },
  };
}

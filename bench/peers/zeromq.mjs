import { Dealer, Router } from "zeromq";

const EVENT = Buffer.from([0]);
const CALL = Buffer.from([1]);

export async function serve({ event, call }) {
  const socket = new Router({ receiveHighWaterMark: 10_000, sendHighWaterMark: 10_000 });
  await socket.bind("tcp://127.0.0.1:0");
  void (async () => {
    for await (const [from, kind, id, message] of socket) {
      if (kind[0] === 0) event(id);
      else await socket.send([from, id, call(message)]);
    }
  })();
  return { port: Number(/:(\d+)$/.exec(socket.lastEndpoint)[1]) };
}

export async function open(port) {
  const socket = new Dealer({ receiveHighWaterMark: 10_000, sendHighWaterMark: 10_000 });
  socket.connect(`tcp://127.0.0.1:${port}`);
  const waiting = new Map();
  let next = 0;
  // One send at a time is what it allows; messages line up behind.
  let last = Promise.resolve();
  const send = (parts) => {
    last = last.then(() => socket.send(parts));
    return last;
  };
  void (async () => {
    for await (const [id, message] of socket) {
      const key = id.readUInt32BE(0);
      waiting.get(key)(message);
      waiting.delete(key);
    }
  })();
  return {
    event: (message) => socket.send([EVENT, message]),
    call(message) {
      next = (next + 1) >>> 0;
      const id = Buffer.allocUnsafe(4);
      id.writeUInt32BE(next);
      return new Promise((resolve) => {
        waiting.set(next, resolve);
        void send([CALL, id, message]);
      });
    },
  };
}

// socket.io with its Redis Streams adapter and connection state recovery, as a peer of bench/cluster.ts.
import { once } from "node:events";
import { createServer } from "node:http";
import { createAdapter } from "@socket.io/redis-streams-adapter";
import { createClient } from "redis";
import { Server } from "socket.io";
import { io } from "socket.io-client";

/** As long as sessions of Zócalo are kept, or longer. */
const KEPT_MS = 120_000;

export async function serve({ port, place }) {
  const redis = createClient({ url: place });
  redis.on("error", () => undefined);
  await redis.connect();
  const http = createServer();
  const server = new Server(http, {
    transports: ["websocket"],
    perMessageDeflate: false,
    adapter: createAdapter(redis),
    connectionStateRecovery: { maxDisconnectionDuration: KEPT_MS, skipMiddlewares: true },
  });
  let resumed = 0;
  server.on("connection", (socket) => {
    if (socket.recovered) resumed += 1;
    else {
      const { group } = socket.handshake.auth;
      socket.data = { group, counted: 0 };
      void socket.join(group);
    }
    socket.on("say", (said) => server.to(socket.data.group).emit("said", said));
    socket.on("count", (said, answer) => {
      socket.data.counted += 1;
      server.to(socket.data.group).emit("said", said);
      answer(socket.data.counted);
    });
    socket.on("settle", (answer) => answer());
  });
  process.on("SIGTERM", () => {
    // What it keeps of the sessions is with Redis before the process ends.
    void server
      .close()
      .then(() => redis.close())
      .then(() => process.exit(0));
  });
  http.listen(port, "127.0.0.1");
  await once(http, "listening");
  return { figures: () => ({ resumed, moved: 0, sessions: server.sockets.sockets.size }) };
}

export async function open({ ports, group }, owner) {
  let at = Math.floor(Math.random() * ports.length);
  const url = () => `http://127.0.0.1:${ports[((at += 1)) % ports.length]}`;
  const socket = io(url(), {
    transports: ["websocket"],
    forceNew: true,
    // Before all else, so that what it has buffered meanwhile is said to the group.
    auth: { group },
    // As often as a client of Zócalo tries: by default it waits a second and more.
    reconnectionDelay: 20,
    reconnectionDelayMax: 100,
  });
  // It knows one server; who has several says which is next.
  socket.io.on("reconnect_attempt", () => (socket.io.uri = url()));
  await new Promise((resolve) => socket.once("connect", resolve));
  socket.on("said", (said) => owner.heard(said));
  socket.on("disconnect", () => owner.away());
  socket.on("connect", () => owner.back(!socket.recovered));
  return {
    say: (said) => void socket.emit("say", said),
    count: (said) => socket.timeout(KEPT_MS).emitWithAck("count", said),
    settle: () => socket.timeout(5_000).emitWithAck("settle"),
    close: async () => void socket.close(),
  };
}

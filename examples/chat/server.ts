/** A chat server: node server.js [ADDRESS] */

import { RemoteError, serveSessions } from "zocalo/protocol";
import { chat } from "./contract.ts";

const { localAddress } = await serveSessions(chat, process.argv[2] ?? "tcp://127.0.0.1:7000", {
  data: () => ({ room: "", name: "" }),
  handlers: {
    join({ room, name }, { session, server }) {
      const others = [...server.group(room)].map((member) => member.data.name);
      if (others.includes(name)) throw new RemoteError("NAME_TAKEN", `somebody in ${room} is called ${name}`);
      server.group(session.data.room).leave(session);
      server.group(room).remote.said({ from: "*", text: `${name} has come` });
      server.group(room).join(session);
      session.data = { room, name };
      return { others };
    },
    say: (text, { session: { data }, server }) => server.group(data.room).remote.said({ from: data.name, text }),
  },
  // Not when a connection is lost: only when its session is over.
  onClose: ({ data }, _end, server) => server.group(data.room).remote.said({ from: "*", text: `${data.name} left` }),
  closeOn: ["SIGINT", "SIGTERM"],
});
console.error(`listening on ${String(localAddress)}`);

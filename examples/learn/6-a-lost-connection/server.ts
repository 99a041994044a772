import { RemoteError, serveSessions } from "zocalo/protocol";
import { chat } from "./contract.ts";

const server = await serveSessions(chat, "tcp://127.0.0.1:7000", {
  data: () => ({ name: "" }), // what the server keeps about each member
  handlers: {
    join(name, { session, server: all }) {
      const plaza = all.group("plaza");
      const others = [...plaza].map((member) => member.data.name);
      if (others.includes(name)) throw new RemoteError("NAME_TAKEN", `somebody is called ${name}`);
      plaza.remote.came(name); // to everybody in the group
      plaza.join(session);
      session.data.name = name;
      return others;
    },
    say: (text, { session, server: all }) => all.group("plaza").remote.said({ from: session.data.name, text }),
  },
  onClose({ data: { name } }, _end, all) {
    if (name !== "") all.group("plaza").remote.left(name);
  },
  onError: (error) => console.error(error),
});
console.log("listening on", String(server.localAddress));

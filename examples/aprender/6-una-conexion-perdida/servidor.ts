import { RemoteError, serveSessions } from "zocalo/protocol";
import { chat } from "./contrato.ts";

const server = await serveSessions(chat, "tcp://127.0.0.1:7000", {
  data: () => ({ name: "" }), // lo que el servidor guarda de cada miembro
  handlers: {
    join(name, { session, server: all }) {
      const plaza = all.group("plaza");
      const others = [...plaza].map((member) => member.data.name);
      if (others.includes(name)) throw new RemoteError("NAME_TAKEN", `ya hay alguien que se llama ${name}`);
      plaza.remote.came(name); // a todos los del grupo
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
console.log("escuchando en", String(server.localAddress));

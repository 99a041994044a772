import { createInterface } from "node:readline";
import { connectSession, type Session } from "zocalo/protocol";
import { chat } from "./contrato.ts";

const [name = "alguien"] = process.argv.slice(2);

async function join(session: Session<typeof chat.server>): Promise<void> {
  const others = await session.remote.join(name);
  console.log(`* contigo: ${others.join(", ") || "nadie"}`);
}

const session = await connectSession(chat, "tcp://127.0.0.1:7001", {
  handlers: {
    came: (who) => console.log(`* ${who} ha llegado`),
    left: (who) => console.log(`* ${who} se ha ido`),
    said({ from, text }) {
      if (from !== name) console.log(`${from}: ${text}`);
    },
  },
  onDetach: () => console.log("* se ha perdido la conexión"),
  onResume: () => console.log("* ha vuelto, y no falta nada"),
  async onReady(fresh, { reason }) {
    if (reason !== "first") console.log(`* una sesión nueva: ${reason}`);
    await join(fresh); // el servidor todavía no nos conoce
  },
});
const keyboard = createInterface({ input: process.stdin, signal: session.signal });
for await (const typed of keyboard) await session.remote.say(typed);
await session.close();

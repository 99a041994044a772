import { createInterface } from "node:readline";
import { connectSession, type Session } from "zocalo/protocol";
import { chat } from "./contract.ts";

const [name = "somebody"] = process.argv.slice(2);

async function join(session: Session<typeof chat.server>): Promise<void> {
  const others = await session.remote.join(name);
  console.log(`* with you: ${others.join(", ") || "nobody"}`);
}

const session = await connectSession(chat, "tcp://127.0.0.1:7001", {
  handlers: {
    came: (who) => console.log(`* ${who} has come`),
    left: (who) => console.log(`* ${who} has left`),
    said({ from, text }) {
      if (from !== name) console.log(`${from}: ${text}`);
    },
  },
  onDetach: () => console.log("* the connection is lost"),
  onResume: () => console.log("* it is back, and nothing is missing"),
  async onReady(fresh, { reason }) {
    if (reason !== "first") console.log(`* a new session: ${reason}`);
    await join(fresh); // the server does not know us yet
  },
});
const keyboard = createInterface({ input: process.stdin, signal: session.signal });
for await (const typed of keyboard) await session.remote.say(typed);
await session.close();

import { createInterface } from "node:readline";
import { connectSession } from "zocalo/protocol";
import { chat } from "./contract.ts";

const [name = "somebody"] = process.argv.slice(2);
const session = await connectSession(chat, "tcp://127.0.0.1:7000", {
  handlers: {
    came: (who) => console.log(`* ${who} has come`),
    left: (who) => console.log(`* ${who} has left`),
    said({ from, text }) {
      if (from !== name) console.log(`${from}: ${text}`);
    },
  },
});
const others = await session.remote.join(name);
console.log(`* with you: ${others.join(", ") || "nobody"}`);
const keyboard = createInterface({ input: process.stdin, signal: session.signal });
for await (const typed of keyboard) await session.remote.say(typed);
await session.close();

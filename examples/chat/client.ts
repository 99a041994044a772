/** A chat client: node client.js ROOM NAME [ADDRESS]; type lines, Ctrl-D leaves. */

import { createInterface } from "node:readline";
import { connectSession, type Session } from "zocalo/protocol";
import { chat } from "./contract.ts";

const [room = "plaza", name = "somebody", address = "tcp://127.0.0.1:7000"] = process.argv.slice(2);
const join = async (session: Session<typeof chat.server>): Promise<void> => {
  const { others } = await session.remote.join({ room, name });
  console.log(`* with you in ${room}: ${others.join(", ") || "nobody"}`);
};

const session = await connectSession(chat, address, {
  handlers: { said: ({ from, text }) => console.log(`${from}: ${text}`) },
  onResume: () => console.log("* the connection was lost and is back; no line is missing"),
  onReady: join, // At the beginning, and when the server has forgotten who was where.
});
for await (const line of createInterface({ input: process.stdin })) await session.remote.say(line);
await session.close();

/** npm run client -- NAME [ADDRESS]; type lines, Ctrl-D leaves. */

import { createInterface } from "node:readline";
import { enterChat } from "./chat.ts";

const [name = "somebody", address = "tcp://127.0.0.1:7000"] = process.argv.slice(2);
const session = await enterChat(address, name, { heard: (from, text) => console.log(`${from}: ${text}`) });
for await (const line of createInterface({ input: process.stdin })) await session.remote.say(line);
await session.close();

/** npm start [-- ADDRESS]; Ctrl-C ends it. */

import { openChat } from "./chat.ts";

const server = await openChat(process.argv[2] ?? "tcp://127.0.0.1:7000", { closeOn: ["SIGINT", "SIGTERM"] });
console.log(`listening on ${String(server.localAddress)}`);
console.log("in two other terminals: npm run client -- Ana, and npm run client -- Luis");

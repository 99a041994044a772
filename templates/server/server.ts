/** npm start [-- ADDRESS]; Ctrl-C ends it. */

import { openGreeter } from "./greeter.ts";

const server = await openGreeter(process.argv[2] ?? "tcp://127.0.0.1:7000", { closeOn: ["SIGINT", "SIGTERM"] });
console.log(`listening on ${String(server.localAddress)}`);
console.log(`in another terminal: echo Ana | npx zocalo connect ${String(server.localAddress)}`);

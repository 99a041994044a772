/** A device that lets itself be controlled: node device.js NAME [ADDRESS]. It calls the server, so it needs no open port. */

import { connectSession } from "zocalo/protocol";
import { device } from "./contract.ts";

const [name = "lamp", address = "tcp://127.0.0.1:7000"] = process.argv.slice(2);
const session = await connectSession(device, address, {
  auth: { name, key: process.env["DEVICE_KEY"] ?? "only for tests" },
  handlers: {
    turn: ({ on }) => {
      console.log(`the ${name} is ${on ? "on" : "off"}`);
      return { on };
    },
    measure: () => ({ celsius: 21.5 }),
  },
  reconnect: { timeoutMs: Infinity },
});
console.error(`connected as ${name}`);
process.on("SIGTERM", () => void session.close());

/** A server in a process of its own. Writes each number that comes into the file it is given, before the next one. */

import { appendFileSync } from "node:fs";
import { serveSessions } from "../../src/protocol.ts";
import { counting } from "./counting-contract.ts";

const file = process.argv[2] as string;
let last = 0;

const server = await serveSessions(counting, "tcp://127.0.0.1:0", {
  handlers: {
    number: (number) => {
      appendFileSync(file, `${number}\n`);
      last = number;
    },
    last: () => last,
    countTo: async (most, { session }) => {
      for (let number = 1; number <= most; number += 1) await session.remote.number(number);
    },
  },
});
process.stdout.write(`${server.localAddress.port}\n`);

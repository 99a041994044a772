/** What the processes of two-processes.test.ts speak. */

import { call, contract, event } from "../../src/protocol.ts";

export const counting = contract("counting", "1.0.0", {
  server: {
    /** The numbers from 1 on, in order. */
    number: event<number>(),
    /** Answers the last number that came. */
    last: call<void, number>(),
    /** Sends the numbers up to this one to the client. */
    countTo: event<number>(),
  },
  client: { number: event<number>() },
});

/** What the chat server and its clients agree on. */

import { call, contract, event } from "zocalo/protocol";

export const chat = contract("chat", "1.0.0", {
  server: {
    join: call<{ name: string }, { others: string[] }>(),
    say: event<string>(),
  },
  client: { said: event<{ from: string; text: string }>() },
});

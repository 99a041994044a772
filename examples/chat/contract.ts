/** What a chat server and its clients agree on. */

import { call, contract, event } from "zocalo/protocol";
import { z } from "zod";

const word = z.string().min(1).max(40);

export const chat = contract("chat", "1.0.0", {
  server: {
    join: call(z.object({ room: word, name: word }), z.object({ others: z.array(word) })),
    say: event(z.string().max(500)),
  },
  client: { said: event(z.object({ from: word, text: z.string() })) },
});

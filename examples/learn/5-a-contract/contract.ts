import { call, contract, event } from "zocalo/protocol";
import { z } from "zod";

const name = z.string().min(1).max(20);
const text = z.string().max(500);

export const chat = contract("chat", "1.0.0", {
  server: {
    join: call(name, z.array(name)), // takes a name, answers with the names of the others
    say: event(text),
  },
  client: {
    came: event(name),
    left: event(name),
    said: event(z.object({ from: name, text })),
  },
});

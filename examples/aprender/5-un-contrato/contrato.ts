import { call, contract, event } from "zocalo/protocol";
import { z } from "zod";

const name = z.string().min(1).max(20);
const text = z.string().max(500);

export const chat = contract("chat", "1.0.0", {
  server: {
    join: call(name, z.array(name)), // toma un nombre y responde con los de los demás
    say: event(text),
  },
  client: {
    came: event(name),
    left: event(name),
    said: event(z.object({ from: name, text })),
  },
});

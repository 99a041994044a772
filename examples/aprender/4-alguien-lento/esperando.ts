import { serve, type FramedStream } from "zocalo";
import { lines } from "zocalo/framing";

const members = new Map<string, FramedStream<string, string>>();

/** Envía una línea a todos menos a uno. */
async function tell(line: string, except: string): Promise<void> {
  for (const [name, member] of members) if (name !== except) await member.send(line);
}

const server = await serve("tcp://127.0.0.1:7000", async (peer) => {
  const member = peer.framed(lines());
  const name = await member.receive(); // la primera línea es el nombre
  if (name === null) return;
  await member.send(`* contigo: ${[...members.keys()].join(", ") || "nadie"}`);
  members.set(name, member);
  await tell(`* ${name} ha llegado`, name);
  try {
    for await (const line of member) await tell(`${name}: ${line}`, name);
  } finally {
    members.delete(name);
    await tell(`* ${name} se ha ido`, name);
  }
});
console.log("escuchando en", String(server.localAddress));

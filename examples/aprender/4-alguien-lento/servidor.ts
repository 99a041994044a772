import { serve, type FramedStream } from "zocalo";
import { lines } from "zocalo/framing";

const members = new Map<string, FramedStream<string, string>>();

/** Envía una línea a todos menos a uno, y no espera a nadie. */
function tell(line: string, except: string): void {
  for (const [name, member] of members) {
    if (name === except) continue;
    if (member.heldBytes < 1_000_000) void member.send(line);
    else {
      console.log(`${name} va demasiado lento`);
      members.delete(name);
      member.abort();
    }
  }
}

const server = await serve("tcp://127.0.0.1:7000", async (peer) => {
  const member = peer.framed(lines());
  const name = await member.receive();
  if (name === null || members.has(name)) return;
  await member.send(`* contigo: ${[...members.keys()].join(", ") || "nadie"}`);
  members.set(name, member);
  tell(`* ${name} ha llegado`, name);
  try {
    for await (const line of member) tell(`${name}: ${line}`, name);
  } finally {
    members.delete(name);
    tell(`* ${name} se ha ido`, name);
  }
});
console.log("escuchando en", String(server.localAddress));

import { serve, type FramedStream } from "zocalo";
import { lines } from "zocalo/framing";

const codec = lines();
const members = new Map<string, FramedStream<string, string>>();

/** Envía una línea a todos menos a uno. Un miembro lento no frena a nadie: se le desconecta. */
async function tell(line: string, except: FramedStream<string, string>): Promise<void> {
  await server.broadcast(line, { codec, to: members.values(), except, slow: "disconnect" });
}

const server = await serve(
  "tcp://127.0.0.1:7000",
  async (peer) => {
    const member = peer.framed(codec);
    const name = await member.receive();
    if (name === null || members.has(name)) return;
    await member.send(`* contigo: ${[...members.keys()].join(", ") || "nadie"}`);
    members.set(name, member);
    await tell(`* ${name} ha llegado`, member);
    try {
      for await (const line of member) await tell(`${name}: ${line}`, member);
    } finally {
      members.delete(name);
      await tell(`* ${name} se ha ido`, member);
    }
  },
  { onError: (error) => console.log(String(error)) },
);
console.log("escuchando en", String(server.localAddress));

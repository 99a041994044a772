import { serve, type FramedStream } from "zocalo";
import { lines } from "zocalo/framing";

const codec = lines();
const members = new Map<string, FramedStream<string, string>>();

/** Sends a line to everybody but one. A slow member stops nobody: it is disconnected. */
async function tell(line: string, except: FramedStream<string, string>): Promise<void> {
  await server.broadcast(line, { codec, to: members.values(), except, slow: "disconnect" });
}

const server = await serve(
  "tcp://127.0.0.1:7000",
  async (peer) => {
    const member = peer.framed(codec);
    const name = await member.receive();
    if (name === null || members.has(name)) return;
    await member.send(`* with you: ${[...members.keys()].join(", ") || "nobody"}`);
    members.set(name, member);
    await tell(`* ${name} has come`, member);
    try {
      for await (const line of member) await tell(`${name}: ${line}`, member);
    } finally {
      members.delete(name);
      await tell(`* ${name} has left`, member);
    }
  },
  { onError: (error) => console.log(String(error)) },
);
console.log("listening on", String(server.localAddress));

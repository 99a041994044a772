import { serve, type FramedStream } from "zocalo";
import { lines } from "zocalo/framing";

const members = new Map<string, FramedStream<string, string>>();

/** Sends a line to everybody but one. */
async function tell(line: string, except: string): Promise<void> {
  for (const [name, member] of members) if (name !== except) await member.send(line);
}

const server = await serve("tcp://127.0.0.1:7000", async (peer) => {
  const member = peer.framed(lines());
  const name = await member.receive(); // the first line is the name
  if (name === null) return;
  await member.send(`* with you: ${[...members.keys()].join(", ") || "nobody"}`);
  members.set(name, member);
  await tell(`* ${name} has come`, name);
  try {
    for await (const line of member) await tell(`${name}: ${line}`, name);
  } finally {
    members.delete(name);
    await tell(`* ${name} has left`, name);
  }
});
console.log("listening on", String(server.localAddress));

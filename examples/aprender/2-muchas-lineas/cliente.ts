import { createInterface } from "node:readline";
import { connect } from "zocalo";
import { lines } from "zocalo/framing";

const call = await connect("tcp://127.0.0.1:7000");
const talk = call.framed(lines());
// Cada línea que escribes, hasta Ctrl-D.
for await (const typed of createInterface({ input: process.stdin })) {
  await talk.send(typed);
  console.log(await talk.receive());
}
await talk.close();

import { connect } from "zocalo";
import { lines } from "zocalo/framing";

const call = await connect("tcp://127.0.0.1:7000");
const talk = call.framed(lines());
await talk.send("Ana");
for (let part = 1; part <= 1_000; part += 1) {
  await talk.send(`part ${part} of a long story${".".repeat(50_000)}`);
  if (part % 200 === 0) console.log(`told ${part} parts`);
}
await talk.close();

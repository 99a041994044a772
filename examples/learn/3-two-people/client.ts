import { createInterface } from "node:readline";
import { connect } from "zocalo";
import { lines } from "zocalo/framing";

const [name = "somebody"] = process.argv.slice(2);
const call = await connect("tcp://127.0.0.1:7000");
const talk = call.framed(lines());
await talk.send(name);

const keyboard = createInterface({ input: process.stdin });
const hearing = talk.onMessages((line) => console.log(line)).then(() => keyboard.close());
for await (const typed of keyboard) await talk.send(typed);
await call.end(); // says no more
await hearing; // hears the rest
await talk.close();

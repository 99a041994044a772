import { connect } from "zocalo";

const call = await connect("tcp://127.0.0.1:7000");
await call.write("hola\n");
const answer = await call.readUntil("\n");
console.log(String(answer).trim());
await call.close();

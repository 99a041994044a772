/** npm start [-- ADDRESS QUESTION...] */

import { ask } from "./asker.ts";

const [address = "tcp://127.0.0.1:7000", ...questions] = process.argv.slice(2);
console.log(`a server for it, in another terminal: npx zocalo listen ${address} --reply upper`);
for (const answer of await ask(address, questions.length === 0 ? ["hello"] : questions)) console.log(answer);

/** Fetches a file: node client.js NAME TARGET [ADDRESS] */

import { writeFile } from "node:fs/promises";
import { connectSession } from "zocalo/protocol";
import { files } from "./contract.ts";

const [name = "", target = name, address = "tcp://127.0.0.1:7000"] = process.argv.slice(2);
const session = await connectSession(files, address);
const { size } = await session.remote.find({ name });

async function* withProgress(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let received = 0;
  for await (const chunk of chunks) {
    received += chunk.length;
    console.log(`${Math.floor((received * 100) / size)} %`);
    yield chunk; // Goes on when the disk has it: that is what slows the server down.
  }
}
await writeFile(target, withProgress(session.remote.read({ name })));
await session.close();

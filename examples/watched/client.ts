/** Sets a price, in a trace of its own: node client.js [WHO] [PRICE] [ADDRESS] */

import { randomBytes } from "node:crypto";
import { connectSession } from "zocalo/protocol";
import { shop } from "./contract.ts";

const [who = "owner", price = "3", address = "tcp://127.0.0.1:7000"] = process.argv.slice(2);
const traceparent = `00-${randomBytes(16).toString("hex")}-${randomBytes(8).toString("hex")}-01`;
await using session = await connectSession(shop, address, { auth: who });
await session.remote.reprice({ what: "bread", price: Number(price) }, { metadata: { traceparent } });
console.log(`bread costs ${await session.remote.price("bread")}`);

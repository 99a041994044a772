/** Sends what it measures: node sensor.js NAME COUNT [ADDRESS] */

import { connectStateless } from "zocalo/protocol";
import { telemetry } from "./contract.ts";

const [sensor = "roof", count = "10", address = "udp://127.0.0.1:7001"] = process.argv.slice(2);
const collector = await connectStateless(telemetry, address);
for (let number = 1; number <= Number(count); number += 1) {
  const celsius = 20 + (number % 5);
  await collector.remote.measured({ sensor, number, celsius }); // Sent once: it arrives or it does not.
}
// Sent again until it is answered, so this is known.
const { got, highest } = await collector.remote.summary({ sensor });
console.log(`${got} of ${count} arrived, the highest was ${highest}`);
await collector.close();

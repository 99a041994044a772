/** Collects what sensors measure: node collector.js [ADDRESS] */

import { RemoteError, serveStateless } from "zocalo/protocol";
import { telemetry } from "./contract.ts";

/** Anybody may send a datagram, so there is a limit. */
const MAX_SENSORS = 1_000;
const sensors = new Map<string, { got: number; highest: number; newest: number }>();

const { localAddress } = await serveStateless(telemetry, process.argv[2] ?? "udp://127.0.0.1:7001", {
  handlers: {
    measured({ sensor, number, celsius }) {
      const known = sensors.get(sensor) ?? { got: 0, highest: -Infinity, newest: 0 };
      // A datagram may be doubled or overtaken: only what is newer counts.
      if (number <= known.newest || (known.got === 0 && sensors.size >= MAX_SENSORS)) return;
      const highest = Math.max(known.highest, celsius);
      sensors.set(sensor, { got: known.got + 1, highest, newest: number });
    },
    summary({ sensor }) {
      const known = sensors.get(sensor);
      if (known === undefined) throw new RemoteError("NOTHING_YET", `${sensor} has sent nothing`);
      return { got: known.got, highest: known.highest };
    },
  },
  closeOn: ["SIGINT", "SIGTERM"],
});
console.error(`listening on ${String(localAddress)}`);

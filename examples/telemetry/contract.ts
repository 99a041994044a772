/** What sensors and their collector agree on, over datagrams: events that may be lost, and calls that may be done twice. */

import { call, contract, event } from "zocalo/protocol";
import { z } from "zod";

const sensor = z.string().min(1).max(40);

export const telemetry = contract("telemetry", "1.0.0", {
  server: {
    measured: event(z.object({ sensor, number: z.number().int(), celsius: z.number() })),
    summary: call(z.object({ sensor }), z.object({ got: z.number(), highest: z.number() }), { idempotent: true }),
  },
});

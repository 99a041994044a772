/** What a server and the devices that it controls agree on: here it is the server that calls. */

import { call, contract } from "zocalo/protocol";
import { z } from "zod";

export const device = contract("device", "1.0.0", {
  client: {
    turn: call(z.object({ on: z.boolean() }), z.object({ on: z.boolean() })),
    measure: call(undefined, z.object({ celsius: z.number() })),
  },
});

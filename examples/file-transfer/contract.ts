/** What a server of files and its clients agree on. */

import { bytes, call, contract, stream } from "zocalo/protocol";
import { z } from "zod";

const file = z.object({ name: z.string().max(255) });

export const files = contract("files", "1.0.0", {
  server: {
    find: call(file, z.object({ size: z.number() })),
    read: stream({ request: file, sends: bytes }),
  },
});

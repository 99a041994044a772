/** What a server offers that some messages end: for a test with processes that die. */

import { call, contract, event, typeOnly } from "zocalo/protocol";

export const mortal = contract("mortal", "1.0.0", {
  server: {
    ask: call<string, string>(),
    pay: call(typeOnly<string>(), typeOnly<string>(), { atMostOnce: true }),
    note: event<string>(),
  },
});

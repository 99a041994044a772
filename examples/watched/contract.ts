/** A shop: everybody may look at prices, and its owner sets them. */

import { call, contract } from "zocalo/protocol";

export const shop = contract("shop", "1.0.0", {
  server: { price: call<string, number>(), reprice: call<{ what: string; price: number }, void>() },
});

import { call, contract, typeOnly } from "../../src/protocol.ts";

/** Which process answers. */
export const asked = contract("asked", "1.0.0", { server: { who: call(undefined, typeOnly<string>()) } });

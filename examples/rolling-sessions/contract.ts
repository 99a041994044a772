import { call, contract } from "zocalo/protocol";

export const counter = contract("counter", "1.0.0", { server: { count: call<void, number>() } });

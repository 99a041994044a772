import assert from "node:assert/strict";
import { test } from "node:test";
import { Address } from "../../core/address/address.ts";
import { meetsItself } from "./meets-itself.ts";

test("one address and port at both ends, in whatever form", () => {
  const rows: readonly (readonly [own: string, peer: string, same: boolean])[] = [
    ["tcp://127.0.0.1:7", "tcp://127.0.0.1:7", true],
    ["tcp://127.0.0.1:7", "tls://127.0.0.1:7", true],
    ["tcp://[::1]:7", "tcp://[::1]:7", true],
    ["tcp://[::ffff:127.0.0.1]:7", "tcp://127.0.0.1:7", true],
    ["tcp://127.0.0.1:7", "tcp://0.0.0.0:7", true],
    ["udp://[::1]:7", "udp://[::]:7", true],
    ["tcp://127.0.0.1:7", "tcp://127.0.0.1:8", false],
    ["tcp://127.0.0.2:7", "tcp://127.0.0.1:7", false],
    ["unix:x.sock", "unix:x.sock", false],
  ];
  for (const [own, peer, same] of rows) assert.equal(meetsItself(Address.parse(own), Address.parse(peer)), same, own);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { Address } from "../core/address/address.ts";
import { canBeRequest } from "./reply-guard.ts";

const local = Address.parse("udp://192.0.2.1:7000");

test("questions come from programs, not from services, groups or oneself", () => {
  for (const from of ["192.0.2.9:40000", "127.0.0.1:1024", "[2001:db8::1]:65535"]) {
    assert.equal(canBeRequest(Address.parse(`udp://${from}`), local), true, from);
  }
  const services = ["192.0.2.9:7", "192.0.2.9:19", "192.0.2.9:53", "192.0.2.9:1023", "192.0.2.9:0"];
  const impossible = ["239.1.2.3:40000", "255.255.255.255:40000", "0.0.0.0:40000", "[ff02::1]:40000"];
  for (const from of [...services, ...impossible, "192.0.2.1:7000", "192.0.2.9:7000"]) {
    assert.equal(canBeRequest(Address.parse(`udp://${from}`), local), false, from);
  }
});

import assert from "node:assert/strict";
import os from "node:os";
import { test } from "node:test";
import { Address } from "../core/address/address.ts";
import { ZocaloError } from "../core/errors.ts";
import { hostInZone } from "./zone.ts";

const context = { op: "connect", remote: "there" };

test("an address without a zone stays as it is, and the name of an interface too", () => {
  assert.equal(hostInZone(Address.parse("tcp://127.0.0.1:1"), context), "127.0.0.1");
  assert.equal(hostInZone(Address.parse("tcp://[::1]:1"), context), "::1");
  if (process.platform === "win32") return;
  for (const name of Object.keys(os.networkInterfaces())) {
    const address = Address.parse({ transport: "tcp", host: "fe80::1", zone: name, port: 1 });
    const known = new Map<string, string>();
    assert.equal(hostInZone(address, context, known), `fe80::1%${name}`);
    assert.equal(hostInZone(address, context, new Map([[name, "known"]])), "fe80::1%known");
    assert.deepEqual([...known], [[name, name]]);
  }
});

test("an interface that there is not: those that there are", () => {
  for (const zone of ["nope0", "99999", "toString"]) {
    assert.throws(
      () => hostInZone(Address.parse({ transport: "tcp", host: "fe80::1", zone, port: 1 }), context),
      (error) => {
        assert.ok(error instanceof ZocaloError);
        assert.deepEqual([error.code, error.op, error.remote], ["ADDRESS_NOT_AVAILABLE", "connect", "there"]);
        for (const name of Object.keys(os.networkInterfaces())) assert.ok(error.detail.includes(name), error.detail);
        return true;
      },
    );
  }
});

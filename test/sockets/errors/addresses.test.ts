/** Addresses and lists of networks that cannot be read: the detail begins with the part that is wrong. */

import { test } from "node:test";
import assert from "node:assert/strict";
import { Address, AddressList, UsageError } from "../../../src/index.ts";
import { assertError } from "../../../src/testing/expect-error.ts";

const addresses: readonly (readonly [part: string, input: unknown])[] = [
  ["address", undefined],
  ["address", 7],
  ["address", `tcp://${"a".repeat(5000)}:1`],
  ["scheme", "127.0.0.1:80"],
  ["scheme", "http://127.0.0.1:80"],
  ["user info", "tcp://me:secret@127.0.0.1:80"],
  ["host", "tcp://:80"],
  ["host", "tcp://[::1:80"],
  ["host", "tcp://::1:80"],
  ["host", { transport: "tcp", port: 1 }],
  ["zone", "tcp://[fe80::1%25]:80"],
  ["port", "tcp://127.0.0.1"],
  ["port", "tcp://127.0.0.1:70000"],
  ["port", { transport: "tcp", host: "::1", port: 0.5 }],
  ["path", "tcp://127.0.0.1:80/x"],
  ["path", "unix:"],
  ["parameter", "udp://127.0.0.1:80?=x"],
  ["fragment", "tcp://127.0.0.1:80#x"],
];

test("Address.parse", () => {
  for (const [part, input] of addresses) {
    assert.throws(
      () => Address.parse(input as string),
      (error) => {
        assertError(error, { code: "ADDRESS_INVALID", type: UsageError, side: "local", op: "address" });
        assert.ok(error.detail.startsWith(`${part} `), `${part}: ${error.detail}`);
        assert.ok(!error.message.includes("secret"));
        return true;
      },
    );
  }
});

const networks: readonly (readonly [part: string, entries: unknown])[] = [
  ["address", "10.0.0.0/8"],
  ["address", [5]],
  ["host", ["example.com/8"]],
  ["prefix", ["10.0.0.0/33"]],
  ["prefix", ["10.0.0.1/8"]],
];

test("AddressList.parse", () => {
  for (const [part, entries] of networks) {
    assert.throws(
      () => AddressList.parse(entries as string[]),
      (error) => {
        assert.ok(error instanceof UsageError);
        assert.equal(error.code, "ADDRESS_INVALID");
        assert.equal(error.side, "local");
        assert.equal(error.message, `ADDRESS_INVALID: ${error.op}: ${error.detail}`);
        assert.ok(error.detail.startsWith(`${part} `), `${part}: ${error.detail}`);
        return true;
      },
    );
  }
});

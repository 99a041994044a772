import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesOf, client, codeOf } from "../../../test/fixtures/handshake-cases.ts";
import { ClientHandshake } from "./client-handshake.ts";
import { MAGIC } from "./preamble.ts";
import { ServerHandshake } from "./server-handshake.ts";

test("a program that is not zocalo is named by its first bytes", () => {
  const strangers: readonly (readonly [string, RegExp])[] = [
    ["GET / HTTP/1.1\r\n", /but HTTP;/],
    ["HTTP/1.1 400 Bad Request\r\n", /but HTTP;/],
    ["PRI * HTTP/2.0\r\n", /but HTTP;/],
    ["\x16\x03\x01\x02\x00", /but TLS;/],
    ["SSH-2.0-OpenSSH", /but SSH;/],
    ["hola\n", /but text \("hola\\n"\)/],
    ["ZOCALA", /but text/],
    ["\x00\xff", /but something else \(0x00ff\)/],
  ];
  for (const [text, detail] of strangers) {
    for (const machine of [new ServerHandshake(0), new ClientHandshake(client, 0)]) {
      machine.output();
      const bytes = Buffer.from(text, "latin1");
      machine.receive(bytes, 0, bytes.length);
      const happened = machine.nextEvent();
      assert.equal(happened?.type, "failed");
      assert.equal(happened.error.code, "PROTOCOL_MISMATCH");
      assert.match(happened.error.detail, detail);
      assert.deepEqual(machine.output(), []);
      assert.equal(machine.nextDeadline(), Infinity);
    }
  }
});

test("another version of the wire form gets a refusal that says so", () => {
  const machine = new ServerHandshake(0);
  const bytes = Buffer.concat([MAGIC.subarray(0, 7), Buffer.from([2, 0, 0, 0, 3, 1, 0xff, 0xff])]);
  machine.receive(bytes, 0, bytes.length);
  assert.equal(codeOf(machine.nextEvent()), "VERSION_UNSUPPORTED");
  const caller = new ClientHandshake(client, 0);
  const refusal = bytesOf(machine.output());
  caller.receive(refusal, 0, refusal.length);
  assert.equal(codeOf(caller.nextEvent()), "VERSION_UNSUPPORTED");
});

test("bytes that are not UTF-8 are no handshake, since two names would become the same", () => {
  const machine = new ServerHandshake(0);
  const hello = bytesOf(new ClientHandshake(client, 0, { auth: { name: "@" } }).output());
  hello[hello.indexOf("@")] = 0xff;
  machine.receive(hello, 0, hello.length);
  assert.equal(codeOf(machine.nextEvent()), "HANDSHAKE_INVALID");
});
